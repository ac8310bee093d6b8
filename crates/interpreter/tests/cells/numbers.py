# %% exact decimals
from decimal import ROUND_HALF_UP, Decimal, getcontext

print(0.1 + 0.2, Decimal("0.1") + Decimal("0.2"))
getcontext().prec = 50
Decimal(2).sqrt()
# %% rounding of money
[Decimal(x).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP) for x in ("2.675", "1.005", "-0.125")]
# %% fractions
from fractions import Fraction

total = sum(Fraction(1, n) for n in range(1, 11))
print(total, float(total))
Fraction("0.125") + Fraction(1, 3), Fraction(3.14159).limit_denominator(100)
# %% a large factorial
import math

str(math.factorial(100))
# %% primes below 100
sieve = [True] * 100
sieve[0] = sieve[1] = False
for n in range(2, 10):
    if sieve[n]:
        sieve[n * n :: n] = [False] * len(sieve[n * n :: n])
[n for n, prime in enumerate(sieve) if prime]
# %% statistics
import statistics as st

data = [2.5, 3.1, 4.7, 5.0, 5.0, 6.2, 9.9]
st.mean(data), st.median(data), st.mode(data), round(st.stdev(data), 6), st.quantiles(data, n=4)
# %% greatest common divisor, least common multiple, modular inverse
a, b = 1071, 462
math.gcd(a, b), a * b // math.gcd(a, b), pow(3, -1, 11), pow(2, 1000, 1_000_007)
# %% complex roots
import cmath

p, q, r = 1, 2, 5
root = cmath.sqrt(q * q - 4 * p * r)
(-q + root) / (2 * p), (-q - root) / (2 * p), abs(3 + 4j)
# %% bases
[int("ff", 16), bin(10), oct(64), hex(2**20), int("-101", 2), (1023).bit_length(), bin(255).count("1")]
# %% floats that are not numbers
[float("inf") > 1e308, float("nan") == float("nan"), math.isclose(0.1 * 3, 0.3), 7 // -2, 7 % -2, divmod(-7, 2), round(2.5), -0.0]
# %% pi by a series
def leibniz(n):
    return 4 * sum((-1) ** k / (2 * k + 1) for k in range(n))


for n in (10, 1000, 100_000):
    print(n, f"{leibniz(n):.6f}")
# %% compound interest
balance = 1000.0
for year in range(1, 6):
    balance *= 1.05
    print(f"year {year}: {balance:10.2f}")
# %% seeded random numbers
import random

rng = random.Random(42)
[rng.randint(1, 6) for _ in range(10)], round(rng.random(), 10), rng.sample(range(100), 5)
# %% a shuffled deck, with the module's own generator
random.seed(7)
deck = [rank + suit for suit in "♠♥♦♣" for rank in "23456789TJQKA"]
random.shuffle(deck)
deck[:5]
# %% integers of unlimited size
2**200, -(3**100) % 7, 10**20 + 1
# %% division by zero
1 / 0
