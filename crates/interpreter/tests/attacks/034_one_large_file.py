# 34. Write a file larger than allowed
# outcome: refused
def grow():
    with open("large", "wb") as file:
        while True:
            file.write(bytes(1 << 22))
attempt("grow", grow)
holds("size", os.path.getsize("large") <= 64 << 20)
os.remove("large")
