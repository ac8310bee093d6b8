# needs: scipy numpy
# %% optimisation
import numpy as np
from scipy import optimize

result = optimize.minimize_scalar(lambda x: (x - 2) ** 2 + 1)
round(float(result.x), 5), round(float(result.fun), 5)
# %% roots
round(optimize.brentq(lambda x: x**3 - x - 2, 1, 2), 8)
# %% linear programming
lp = optimize.linprog(c=[-3, -5], A_ub=[[1, 0], [0, 2], [3, 2]], b_ub=[4, 12, 18])
lp.success, np.round(lp.x, 6).tolist(), round(float(lp.fun), 6)
# %% integration
from scipy import integrate

round(integrate.quad(lambda x: np.exp(-x * x), -np.inf, np.inf)[0], 8)
# %% a differential equation
solution = integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0], rtol=1e-8, atol=1e-10)
round(float(solution.y[0, -1]), 6)
# %% distributions and tests
from scipy import stats

print(round(float(stats.norm.cdf(1.96)), 6), round(float(stats.t.ppf(0.975, 10)), 6))
t, p = stats.ttest_ind([5.1, 4.9, 5.3], [6.2, 6.0, 6.1])
round(float(t), 4), bool(p < 0.05)
# %% regression
fit = stats.linregress([1, 2, 3, 4], [2.1, 3.9, 6.2, 7.8])
round(float(fit.slope), 4), round(float(fit.rvalue) ** 2, 4)
# %% interpolation
from scipy.interpolate import CubicSpline

round(float(CubicSpline([0, 1, 2, 3], [0, 1, 8, 27])(1.5)), 6)
# %% distances, sparse matrices, constants
from scipy import constants, sparse
from scipy.spatial import distance

distance.euclidean([0, 0], [3, 4]), sparse.eye(3).toarray().tolist(), constants.c
# %% signals
from scipy import signal

peaks, _ = signal.find_peaks([0, 2, 0, 3, 0, 1, 0])
peaks.tolist()
