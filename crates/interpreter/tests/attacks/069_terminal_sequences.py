# 69. Print what a terminal acts upon
# outcome: inert
print("\x1b]52;c;ZXZpbA==\x07\x1b]0;title\x07\x1b[2J\x1b[31m\u202e\x9b31m\x00\x08")
holds("printed", True)
