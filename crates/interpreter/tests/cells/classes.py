# %% a class with operators
class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)

    def __repr__(self):
        return f"Vector({self.x}, {self.y})"


v = Vector(1, 2) + Vector(3, 4) * 2
print(v, v == Vector(7, 10))
v
# %% inheritance and super
class Animal:
    sound = "..."

    def __init__(self, name):
        self.name = name

    def speak(self):
        return f"{self.name} says {self.sound}"


class Dog(Animal):
    sound = "woof"

    def speak(self):
        return super().speak() + "!"


[a.speak() for a in (Animal("Thing"), Dog("Rex"))], Dog.__mro__[1].__name__
# %% properties and class methods
class Celsius:
    def __init__(self, degrees):
        self.degrees = degrees

    @property
    def fahrenheit(self):
        return self.degrees * 9 / 5 + 32

    @fahrenheit.setter
    def fahrenheit(self, value):
        self.degrees = (value - 32) * 5 / 9

    @classmethod
    def freezing(cls):
        return cls(0)

    @staticmethod
    def symbol():
        return "°C"


t = Celsius.freezing()
t.fahrenheit = 212
t.degrees, t.fahrenheit, Celsius.symbol()
# %% dataclasses
from dataclasses import asdict, dataclass, field, replace


@dataclass(order=True)
class Item:
    price: float
    name: str = field(compare=False)
    tags: list = field(default_factory=list)


items = [Item(2.5, "tea", ["hot"]), Item(1.0, "water")]
print(min(items), asdict(items[0]))
sorted(items), replace(items[1], price=3.0)
# %% enumerations
from enum import Enum, Flag, auto


class Colour(Enum):
    RED = 1
    GREEN = auto()


class Permission(Flag):
    R = auto()
    W = auto()


Colour.GREEN, Colour(1), [c.name for c in Colour], Permission.R in (Permission.R | Permission.W)
# %% abstract classes
from abc import ABC, abstractmethod


class Shape(ABC):
    @abstractmethod
    def area(self): ...


class Square(Shape):
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side**2


print(Square(3).area())
Shape()
# %% context managers
from contextlib import contextmanager, suppress


class Managed:
    def __enter__(self):
        print("enter")
        return self

    def __exit__(self, kind, error, traceback):
        print("exit", kind and kind.__name__)
        return True


with Managed():
    raise ValueError("swallowed")


@contextmanager
def tag(name):
    print(f"<{name}>")
    yield name.upper()
    print(f"</{name}>")


with tag("p") as upper, suppress(KeyError):
    print(upper)
    {}["missing"]
# %% iterators
class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n + 1


list(Countdown(3)), max(Countdown(5)), 2 in Countdown(4)
# %% containers of one's own
class Polynomial:
    def __init__(self, *coefficients):
        self.c = coefficients

    def __call__(self, x):
        return sum(a * x**n for n, a in enumerate(self.c))

    def __len__(self):
        return len(self.c)

    def __getitem__(self, n):
        return self.c[n]

    def __bool__(self):
        return any(self.c)


p = Polynomial(1, 0, 2)
p(3), len(p), p[-1], bool(Polynomial(0)), list(p)
# %% slots and attributes that are not there
class Slotted:
    __slots__ = ("a",)


s = Slotted()
s.a = 1
s.b = 2
# %% a metaclass and a descriptor
class Registry(type):
    known = []

    def __new__(mcls, name, bases, body):
        cls = super().__new__(mcls, name, bases, body)
        mcls.known.append(name)
        return cls


class Positive:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner):
        return getattr(instance, self.name)

    def __set__(self, instance, value):
        if value <= 0:
            raise ValueError("must be positive")
        setattr(instance, self.name, value)


class Order(metaclass=Registry):
    amount = Positive()


order = Order()
order.amount = 5
print(Registry.known, order.amount)
order.amount = -1
# %% the attribute hooks
class Lazy:
    def __getattr__(self, name):
        return f"made up {name}"


Lazy().anything, hasattr(Lazy(), "x"), getattr(object(), "none", "default")
# %% a stack machine
class Stack(list):
    push = list.append

    def peek(self):
        return self[-1]


def rpn(expression):
    stack = Stack()
    for token in expression.split():
        if token in "+-*/":
            b, a = stack.pop(), stack.pop()
            stack.push({"+": a + b, "-": a - b, "*": a * b, "/": a / b}[token])
        else:
            stack.push(float(token))
    return stack.peek()


rpn("3 4 + 2 * 7 /")
# %% typing
from typing import Dict, List, NamedTuple, Optional, Union


class Employee(NamedTuple):
    name: str
    id: int = 3


def find(table: Dict[str, List[int]], key: str) -> Optional[int]:
    return table.get(key, [None])[0]


Employee("Guido"), find({"a": [7]}, "a"), find({}, "b"), Union[int, str]
