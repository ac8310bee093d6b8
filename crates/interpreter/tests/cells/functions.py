# %% a closure that counts
def counter():
    n = 0

    def count():
        nonlocal n
        n += 1
        return n

    return count


c = counter()
c(), c(), counter()()
# %% decorators with arguments
import functools


def repeat(times):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return [function(*args, **kwargs) for _ in range(times)]

        return wrapper

    return decorate


@repeat(3)
def greet(name, *, polite=False):
    """Greets."""
    return ("Dear " if polite else "Hi ") + name


print(greet("Han", polite=True))
greet.__name__, greet.__doc__
# %% a cache
@functools.lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


fibonacci(90), fibonacci.cache_info()
# %% partial, reduce, operator
import operator

double = functools.partial(operator.mul, 2)
list(map(double, range(4))), functools.reduce(operator.add, [[1], [2]]), operator.itemgetter(1, 0)("ab")
# %% generators
def primes():
    found = []
    n = 2
    while True:
        if all(n % p for p in found):
            found.append(n)
            yield n
        n += 1


import itertools

list(itertools.islice(primes(), 10))
# %% sending to a generator
def average():
    total = count = 0
    result = None
    while True:
        value = yield result
        total += value
        count += 1
        result = total / count


g = average()
next(g)
[g.send(x) for x in (10, 20, 60)]
# %% yield from, and the value of a generator
def inner():
    yield 1
    return "inner's value"


def outer():
    value = yield from inner()
    yield value


list(outer())
# %% itertools
print(list(itertools.permutations("abc", 2)))
print(["".join(p) for p in itertools.product("ab", repeat=2)])
print([(k, list(v)) for k, v in itertools.groupby("aabbbc")])
list(itertools.accumulate([1, 2, 3, 4], operator.mul)), list(itertools.chain([1], [2, 3])), list(itertools.combinations(range(4), 3))
# %% positional-only and keyword-only arguments
def f(a, /, b, *args, c=3, **rest):
    return a, b, args, c, rest


f(1, 2, 4, 5, c=6, d=7)
# %% a wrong call
f()
# %% default arguments that are shared
def append(x, to=[]):
    to.append(x)
    return to


append(1), append(2), append(3, [])
# %% recursion: towers of Hanoi
def hanoi(n, a="A", b="B", c="C"):
    if n:
        yield from hanoi(n - 1, a, c, b)
        yield f"{a}->{c}"
        yield from hanoi(n - 1, b, a, c)


" ".join(hanoi(3))
# %% a lambda table
operations = {"+": lambda a, b: a + b, "**": lambda a, b: a**b}
{name: op(2, 5) for name, op in operations.items()}
# %% recursion without end
def forever(n):
    return forever(n + 1)


forever(0)
# %% names of an outer function
def outer_names():
    x = "enclosing"
    return [x for x in "ab"], (lambda: x)()


x = "global"
outer_names(), x
