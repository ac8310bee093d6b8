# %% dates in a text
import re

text = "Released 2023-09-25, updated 2023-12-01 and again on 2024-1-5."
re.findall(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)
# %% named groups
line = '127.0.0.1 - - [10/Oct/2023:13:55:36] "GET /index.html HTTP/1.0" 200 2326'
pattern = re.compile(r'(?P<host>\S+).*"(?P<method>\w+) (?P<path>\S+)[^"]*" (?P<status>\d+) (?P<size>\d+)')
pattern.match(line).groupdict()
# %% replacement by a function
re.sub(r"\b(\w)(\w*)", lambda m: m[1].upper() + m[2], "the lord of the rings")
# %% e-mail addresses
candidates = ["a@b.cn", "first.last@example.org", "no at sign", "two@@signs.org", "x@y"]
[c for c in candidates if re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", c)]
# %% chinese characters
re.findall(r"[\u4e00-\u9fff]+", "Qwen 千问 and 千手 2023年")
# %% a verbose pattern
number = re.compile(
    r"""
    [+-]?            # sign
    (\d+(\.\d*)?     # 1, 1., 1.5
     | \.\d+)        # .5
    ([eE][+-]?\d+)?  # exponent
    """,
    re.VERBOSE,
)
[m[0] for m in number.finditer("x=-1.5e3, y=.25 z=7")]
# %% splitting and scanning
print(re.split(r"[,;\s]+", "a, b;c   d"))
for m in re.finditer(r"(?<=\$)\d+", "costs $15 or $7"):
    print(m.span(), m[0])
# %% a match as value
re.match(r"(a+)(b*)", "aaab").groups(), re.search("q", "abc")
# %% a tiny tokenizer
tokens = [(m.lastgroup, m[0]) for m in re.finditer(r"(?P<num>\d+)|(?P<op>[-+*/()])|(?P<name>[a-z]+)", "3*(x+42)")]
tokens
# %% a broken pattern
re.compile("(unclosed")
