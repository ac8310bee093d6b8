# needs: numpy
# %% arrays and shapes
import numpy as np

a = np.arange(12).reshape(3, 4)
print(a.shape, a.dtype, a.sum(axis=0))
a
# %% a linear system
A = np.array([[3.0, 1.0], [1.0, 2.0]])
b = np.array([9.0, 8.0])
np.linalg.solve(A, b)
# %% eigenvalues, determinant, inverse
values, vectors = np.linalg.eigh(A)
print(np.round(values, 6), round(float(np.linalg.det(A)), 6))
np.allclose(vectors @ np.diag(values) @ vectors.T, A), np.round(np.linalg.inv(A), 3)
# %% singular values and rank
M = np.outer([1, 2, 3], [1, 1, 2]) + np.eye(3)
np.round(np.linalg.svd(M, compute_uv=False), 4), int(np.linalg.matrix_rank(M - np.eye(3)))
# %% broadcasting
np.arange(3)[:, None] * 10 + np.arange(4)
# %% masks and where
x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
print(x[x > 0], np.where(x < 0, 0, x))
np.clip(x, -1, 1)
# %% seeded random numbers
rng = np.random.default_rng(0)
print(np.round(rng.normal(size=3), 6), rng.integers(0, 10, 5))
np.random.seed(1)
np.random.rand(2)
# %% statistics
data = np.array([1, 2, 2, 3, 4, 7, 9], dtype=float)
np.mean(data), np.median(data), np.round(np.std(data), 6), np.percentile(data, [25, 75])
# %% polynomials and least squares
t = np.linspace(0, 1, 5)
print(np.round(np.polyfit(t, 2 * t**2 + 1, 2), 6))
np.roots([1, -3, 2])
# %% einsum and matrix products
np.einsum("ij,jk->ik", A, A), A @ A, np.trace(A), np.kron([1, 2], [1, 1])
# %% structured arrays
people = np.array([("Li", 30), ("Wang", 25)], dtype=[("name", "U10"), ("age", "i4")])
np.sort(people, order="age")["name"]
# %% a large array as value
np.arange(100_000)
# %% fourier
signal = np.sin(2 * np.pi * 5 * np.linspace(0, 1, 64, endpoint=False))
int(np.argmax(np.abs(np.fft.rfft(signal))))
# %% a singular matrix
np.linalg.inv(np.zeros((2, 2)))
# %% shapes that do not fit
np.ones((2, 3)) @ np.ones((2, 3))
# %% saving and loading
np.savez("arrays.npz", a=a, x=x)
loaded = np.load("arrays.npz")
sorted(loaded.files), bool((loaded["a"] == a).all())
