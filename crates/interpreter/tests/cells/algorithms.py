# %% quicksort and mergesort
def quick(xs):
    if len(xs) < 2:
        return xs
    pivot, *rest = xs
    return quick([x for x in rest if x < pivot]) + [pivot] + quick([x for x in rest if x >= pivot])


def merge_sort(xs):
    if len(xs) < 2:
        return xs
    middle = len(xs) // 2
    a, b, out = merge_sort(xs[:middle]), merge_sort(xs[middle:]), []
    while a and b:
        out.append((a if a[0] <= b[0] else b).pop(0))
    return out + a + b


data = [5, 2, 9, 1, 5, 6, -3]
quick(data), merge_sort(data) == sorted(data)
# %% shortest paths
import heapq

graph = {"A": {"B": 7, "C": 3}, "B": {"D": 2}, "C": {"B": 1, "D": 8}, "D": {}}


def dijkstra(start):
    distance, queue = {start: 0}, [(0, start)]
    while queue:
        d, node = heapq.heappop(queue)
        for neighbour, weight in graph[node].items():
            if d + weight < distance.get(neighbour, float("inf")):
                distance[neighbour] = d + weight
                heapq.heappush(queue, (d + weight, neighbour))
    return distance


dijkstra("A")
# %% breadth first
from collections import deque

maze = ["S.#", "..#", "#.E"]
start = (0, 0)
queue, seen = deque([(start, 0)]), {start}
while queue:
    (r, c), steps = queue.popleft()
    if maze[r][c] == "E":
        print("reached in", steps)
        break
    for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        n = (r + dr, c + dc)
        if 0 <= n[0] < 3 and 0 <= n[1] < 3 and maze[n[0]][n[1]] != "#" and n not in seen:
            seen.add(n)
            queue.append((n, steps + 1))
# %% eight queens
def queens(n, placed=()):
    if len(placed) == n:
        return 1
    return sum(
        queens(n, (*placed, c))
        for c in range(n)
        if all(c != p and abs(c - p) != len(placed) - r for r, p in enumerate(placed))
    )


queens(6)
# %% knapsack
def knapsack(items, capacity):
    best = [0] * (capacity + 1)
    for weight, value in items:
        for c in range(capacity, weight - 1, -1):
            best[c] = max(best[c], best[c - weight] + value)
    return best[-1]


knapsack([(12, 4), (2, 2), (1, 1), (1, 2), (4, 10)], 15)
# %% longest common subsequence
def lcs(a, b):
    table = [[""] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + x if x == y else max(table[i][j + 1], table[i + 1][j], key=len)
    return table[-1][-1]


lcs("AGGTAB", "GXTXAYB")
# %% a binary tree
class Node:
    def __init__(self, key, left=None, right=None):
        self.key, self.left, self.right = key, left, right

    def insert(self, key):
        side = "left" if key < self.key else "right"
        child = getattr(self, side)
        if child is None:
            setattr(self, side, Node(key))
        else:
            child.insert(key)

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.key
        if self.right:
            yield from self.right


root = Node(8)
for key in (3, 10, 1, 6, 14):
    root.insert(key)
list(root)
# %% the game of life
def step(alive):
    around = [(x + dx, y + dy) for x, y in alive for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]
    return {cell for cell in set(around) if around.count(cell) == 3 or (around.count(cell) == 2 and cell in alive)}


blinker = {(1, 0), (1, 1), (1, 2)}
sorted(step(blinker)), step(step(blinker)) == blinker
# %% a linked list and a topological order
def order(tasks):
    done, out = set(), []

    def visit(task):
        if task not in done:
            done.add(task)
            for needed in tasks.get(task, ()):
                visit(needed)
            out.append(task)

    for task in tasks:
        visit(task)
    return out


order({"deploy": ["test"], "test": ["build"], "build": [], "docs": ["build"]})
# %% roman numerals
def roman(n):
    signs = {1000: "M", 900: "CM", 500: "D", 400: "CD", 100: "C", 90: "XC", 50: "L", 40: "XL", 10: "X", 9: "IX", 5: "V", 4: "IV", 1: "I"}
    return "".join(sign * ((n % bigger if bigger else n) // value) for (value, sign), bigger in zip(signs.items(), [0, *signs]))


[roman(n) for n in (4, 9, 14, 1994, 2023)]
# %% a sudoku's row, column and box
grid = "530070000600195000098000060800060003400803001700020006060000280000419005000080079"


def free(cell):
    r, c = divmod(cell, 9)
    used = {grid[r * 9 + k] for k in range(9)} | {grid[k * 9 + c] for k in range(9)}
    used |= {grid[(r // 3 * 3 + k // 3) * 9 + c // 3 * 3 + k % 3] for k in range(9)}
    return sorted(set("123456789") - used)


free(2), free(80 - 40)
# %% monte carlo, seeded
import random

rng = random.Random(0)
inside = sum(rng.random() ** 2 + rng.random() ** 2 < 1 for _ in range(20_000))
4 * inside / 20_000
# %% newton's method
x, steps = 1.0, []
for _ in range(6):
    x -= (x * x - 2) / (2 * x)
    steps.append(round(x, 12))
steps
# %% collatz, with a star drawing
n, length = 27, 0
while n != 1:
    n = 3 * n + 1 if n % 2 else n // 2
    length += 1
for row in range(1, 4):
    print(" " * (3 - row) + "*" * (2 * row - 1))
length
# %% def solution, as the exams write it
def solution():
    """Natalia sold clips to 48 friends in April, and half as many in May."""
    april = 48
    may = april / 2
    return april + may


print(solution())
