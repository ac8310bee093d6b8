# %% logging
import io
import logging

stream = io.StringIO()
logger = logging.getLogger("cells")
logger.addHandler(logging.StreamHandler(stream))
logger.setLevel(logging.INFO)
logger.info("kept %d", 1)
logger.debug("dropped")
stream.getvalue()
# %% arguments of a command line
import argparse

parser = argparse.ArgumentParser(prog="tool")
parser.add_argument("file")
parser.add_argument("-n", type=int, default=1)
vars(parser.parse_args(["a.txt", "-n", "5"]))
# %% operators of sets
a, b = {1, 2, 3}, {2, 3, 4}
a & b, a | b, a - b, a ^ b, a <= {1, 2, 3, 4}
# %% time that passes
import time

begin = time.perf_counter()
time.sleep(0.001)
time.perf_counter() - begin >= 0.001
# %% introspection
import inspect


def sample(a, b: int = 2, *c, d=4):
    """Has parameters."""


str(inspect.signature(sample)), [p.kind.name for p in inspect.signature(sample).parameters.values()]
# %% evaluating text
space = {}
exec("y = [n ** 2 for n in range(4)]", space)
eval("sum(y) + 1", space), eval("3 * 4")
# %% the syntax tree
import ast

tree = ast.parse("a + 1 * b")
print(ast.dump(tree.body[0].value.op), sorted(n.id for n in ast.walk(tree) if isinstance(n, ast.Name)))
ast.literal_eval("{'a': [1, (2, 3)]}")
# %% weak references and garbage
import gc
import weakref


class Thing:
    pass


thing = Thing()
reference = weakref.ref(thing)
alive = reference() is thing
del thing
_ = gc.collect()
alive, reference()
# %% uuids and secrets
import secrets
import uuid

str(uuid.uuid5(uuid.NAMESPACE_DNS, "example.org")), len(secrets.token_hex(8)), uuid.UUID(int=7)
# %% single dispatch
from functools import singledispatch, total_ordering


@singledispatch
def describe(x):
    return "something"


@describe.register(int)
def _(x):
    return "an int"


@describe.register(list)
def _(x):
    return f"a list of {len(x)}"


[describe(x) for x in (1, [1, 2], "s")]
# %% the name of this module
print(__name__)
if __name__ == "__main__":
    print("as a script")
# %% a doctest
import doctest


def twice(x):
    """
    >>> twice(2)
    4
    """
    return 2 * x


doctest.run_docstring_examples(twice, {"twice": twice}, name="twice")
# %% a unit test inside a cell
import unittest


class T(unittest.TestCase):
    def test_it(self):
        self.assertEqual(twice(4), 8)


result = unittest.TextTestRunner(stream=io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromTestCase(T))
result.testsRun, result.wasSuccessful()
# %% environment and platform
import os
import platform

os.environ["CELL"] = "x"
os.environ["CELL"], platform.system(), os.sep, platform.python_implementation()
# %% redirected output
from contextlib import redirect_stdout

with redirect_stdout(io.StringIO()) as caught:
    print("inside")
print("outside")
caught.getvalue()
# %% a value that prints while it is shown
class Loud:
    def __repr__(self):
        print("asked")
        return "Loud()"


Loud()
# %% input that is not there
try:
    input()
except EOFError:
    print("nobody answers")
# %% nothing
None
# %% ellipsis, type, function, module as values
import math

..., int, len, math.sqrt, type(None)
# %% semicolons and blank lines


x = 1; y = 2; print(x + y)

# a comment

# %% global statements and deletion
def make():
    global made
    made = "here"


make()
value = made
del made
value, "made" in globals()
# %% a comment as the last line
1 + 1
# that was all
# %% types as text
type(1).__name__, type([]).__mro__, isinstance(True, int), issubclass(bool, int)
# %% signals and alarms
import signal

caught_signals = []
before = signal.signal(signal.SIGALRM, lambda number, frame: caught_signals.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.01)
signal.pause()
_ = signal.signal(signal.SIGALRM, before)
caught_signals == [signal.SIGALRM]
# %% a socket pair
import socket

left, right = socket.socketpair()
left.sendall(b"ping")
data = right.recv(10)
left.close(), right.close()
data
