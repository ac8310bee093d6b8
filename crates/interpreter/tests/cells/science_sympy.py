# needs: sympy
# %% solving
from sympy import Eq, Matrix, Rational, diff, expand, factor, integrate, limit, oo, pi, simplify, sin, cos, exp, solve, sqrt, symbols

x, y = symbols("x y")
solve(x**2 - 5 * x + 6, x), solve([Eq(x + y, 10), Eq(x - y, 2)], [x, y])
# %% calculus
print(diff(sin(x) * exp(x), x), integrate(x**2, (x, 0, 3)))
limit(sin(x) / x, x, 0), integrate(exp(-(x**2)), (x, -oo, oo))
# %% algebra
expand((x + 1) ** 3), factor(x**3 - 1), simplify(sin(x) ** 2 + cos(x) ** 2)
# %% an expression as value
sqrt(8) * pi / Rational(3, 4)
# %% matrices
m = Matrix([[1, 2], [3, 4]])
m.det(), m.inv(), m.eigenvals()
# %% a matrix as value
m**2
# %% series and numbers
from sympy import N, factorint, nsimplify, prime, series

print(series(exp(x), x, 0, 4))
factorint(360), prime(10), N(pi, 20), nsimplify(0.75)
# %% printing latex
from sympy import latex

latex(integrate(1 / x, x))
