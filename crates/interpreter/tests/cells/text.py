# %% word counts
from collections import Counter

text = """The quick brown fox jumps over the lazy dog. The dog sleeps; the fox runs away.
A quick test of words, words, words!"""
words = [word.strip(".,;!").lower() for word in text.split()]
Counter(words).most_common(4)
# %% formatting of tables
rows = [("apple", 3, 1.5), ("kiwi", 12, 0.25), ("watermelon", 1, 4.0)]
print(f"{'name':<12}|{'n':>4}|{'price':>8}")
for name, n, price in rows:
    print(f"{name:<12}|{n:>4}|{price:>8.2f}")
# %% palindromes
def is_palindrome(s):
    letters = [c.lower() for c in s if c.isalnum()]
    return letters == letters[::-1]


[is_palindrome(s) for s in ("A man, a plan, a canal: Panama", "hello", "上海自来水来自海上")]
# %% caesar cipher
def shift(text, by):
    def one(c):
        if not c.isalpha() or not c.isascii():
            return c
        base = ord("A") if c.isupper() else ord("a")
        return chr((ord(c) - base + by) % 26 + base)

    return "".join(map(one, text))


secret = shift("Meet me at noon, 中午见", 3)
print(secret)
shift(secret, -3)
# %% unicode normalisation
import unicodedata

a, b = "é", "e\u0301"
a == b, unicodedata.normalize("NFC", b) == a, [unicodedata.name(c) for c in b]
# %% string methods
s = "  Hello, World  "
s.strip().swapcase(), s.find("World"), "a,b,,c".split(","), "-".join("abc"), "x=1;y=2".partition(";")
# %% text wrapping
import textwrap

print(textwrap.fill("It was the best of times, it was the worst of times, it was the age of wisdom.", width=30, initial_indent="> ", subsequent_indent="  "))
# %% an f-string with everything
from datetime import date

value, width = 1234567.891, 15
f"{value:>{width},.2f}|{value:e}|{255:#x}|{255:08b}|{0.256:.1%}|{date(2024, 2, 29):%d %b %Y}|{'ok'!r:^8}"
# %% a template
from string import Template

Template("Dear $name, you owe $$${amount}.").substitute(name="Li Lei", amount=20)
# %% levenshtein distance
from functools import lru_cache


def distance(a, b):
    @lru_cache(None)
    def d(i, j):
        if i == 0 or j == 0:
            return i + j
        return min(d(i - 1, j) + 1, d(i, j - 1) + 1, d(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return d(len(a), len(b))


distance("kitten", "sitting"), distance("北京大学", "北京大雪")
# %% a difference of texts
import difflib

print("\n".join(difflib.unified_diff("a\nb\nc".split(), "a\nx\nc\nd".split(), "old", "new", lineterm="")))
# %% printing without line ends, and to standard error
import sys

print(1, 2, 3, sep="-", end="!\n")
print("not here", file=sys.stderr)
sys.stdout.write("written\n")
# %% a long text as value
"\n".join(f"line {n}" for n in range(50))
# %% bytes and encodings
"千手".encode("utf-8"), "千手".encode("gb18030"), b"\xe5\x8d\x83".decode(), bytes(range(5)).hex(" ")
