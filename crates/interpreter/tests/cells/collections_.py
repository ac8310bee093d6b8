# %% list, dict and set comprehensions
squares = [n * n for n in range(10) if n % 2]
index = {word: len(word) for word in ("a", "bb", "ccc")}
print(squares, index, sorted({n % 3 for n in range(10)}))
[(x, y) for x in range(3) for y in range(x)]
# %% slices
data = list(range(10))
data[2:8:3], data[::-1], data[-3:], data[5:2]
# %% a nested structure
config = {"name": "test", "tags": ["a", "b"], "size": (1, 2.5), "nested": {"none": None, "yes": True}}
config
# %% pretty printing
from pprint import pprint

pprint({"key%d" % n: list(range(n)) for n in range(12)}, width=60)
# %% default dicts
from collections import defaultdict

groups = defaultdict(list)
for word in "apple avocado banana blueberry cherry".split():
    groups[word[0]].append(word)
groups
# %% deques and named tuples
from collections import ChainMap, OrderedDict, deque, namedtuple

Point = namedtuple("Point", "x y")
recent = deque(maxlen=3)
for n in range(5):
    recent.append(Point(n, n * n))
recent
# %% chained maps
dict(ChainMap({"a": 1}, {"a": 2, "b": 3})), OrderedDict(z=1, a=2).popitem()
# %% sorting by several keys
people = [("Wang", 30), ("Li", 25), ("Zhao", 30), ("Chen", 25)]
sorted(people, key=lambda p: (-p[1], p[0]))
# %% heaps
import heapq

heap = []
for n in (5, 1, 8, 3, 2):
    heapq.heappush(heap, n)
[heapq.heappop(heap) for _ in range(3)], heapq.nlargest(2, [4, 9, 1]), list(heapq.merge([1, 4], [2, 3]))
# %% binary search
import bisect

grades = [bisect.bisect([60, 70, 80, 90], score) for score in (33, 65, 77, 89, 100)]
["FDCBA"[g] for g in grades]
# %% unpacking
first, *middle, last = range(5)
(a, b), c = (1, 2), 3
print(first, middle, last, a, b, c)
{**{"x": 1}, "y": 2}, [*"ab", *range(2)]
# %% arrays and bytes
from array import array

numbers = array("i", [1, 2, 3])
numbers.extend([4, 5])
numbers, bytearray(b"abc"), memoryview(b"abc")[1], frozenset([1])
# %% a key that is missing
config["no such key"]
# %% a list that holds itself
loop = [1]
loop.append(loop)
loop
# %% walrus and match of conditions
if (n := len(data)) > 5:
    print(f"{n} is many")
any(x > 8 for x in data), all(data), sum(data), max(data, key=lambda x: -x), list(zip("ab", [1, 2]))
# %% removing while copying
values = [3, 1, 3, 2, 3]
while 3 in values:
    values.remove(3)
values.insert(0, 9)
values.sort(reverse=True)
values
# %% transposing
matrix = [[1, 2, 3], [4, 5, 6]]
[list(row) for row in zip(*matrix)]
