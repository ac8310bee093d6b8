# %% try, except, else, finally
def attempt(x):
    try:
        result = 10 / x
    except ZeroDivisionError as error:
        print("caught", error)
        return None
    else:
        print("fine")
        return result
    finally:
        print("finally")


attempt(4), attempt(0)
# %% an exception of one's own
class TooCold(Exception):
    def __init__(self, degrees):
        super().__init__(f"{degrees} is too cold")
        self.degrees = degrees


try:
    raise TooCold(-40)
except TooCold as error:
    print(error, error.degrees)
# %% causes
try:
    try:
        int("x")
    except ValueError as error:
        raise RuntimeError("no number") from error
except RuntimeError as error:
    print(repr(error), repr(error.__cause__))
# %% a traceback as text
import traceback

try:
    [][1]
except IndexError:
    print(traceback.format_exc().splitlines()[-1])
# %% assertions
assert 1 + 1 == 3, "arithmetic"
# %% warnings are not errors
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    warnings.warn("careful", DeprecationWarning)
[str(w.message) for w in caught]
# %% a name that is not there
undefined_name + 1
# %% a wrong type
"1" + 1
# %% a syntax error that is only a string's
try:
    eval("1 +")
except SyntaxError as error:
    print(error.msg, error.lineno)
# %% the names go on after all that
attempt(5)
# %% an unfinished statement
for n in range(3)
    print(n)
# %% a file that is not there
open("no/such/file.txt")
# %% raising again
def risky():
    try:
        raise KeyError("k")
    except KeyError:
        raise


risky()
# %% an exception as value
ValueError("not raised")
# %% exit code of a function
try:
    raise SystemExit(3)
except SystemExit as stop:
    code = stop.code
code
