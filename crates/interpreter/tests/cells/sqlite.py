# %% a table in memory
import sqlite3

db = sqlite3.connect(":memory:")
db.execute("CREATE TABLE sales (city TEXT, year INTEGER, amount REAL)")
db.executemany(
    "INSERT INTO sales VALUES (?, ?, ?)",
    [("北京", 2022, 10.5), ("北京", 2023, 12.0), ("上海", 2022, 20.0), ("上海", 2023, 18.5)],
)
db.execute("SELECT count(*) FROM sales").fetchone()
# %% grouping
for row in db.execute("SELECT city, sum(amount), max(year) FROM sales GROUP BY city ORDER BY 2 DESC"):
    print(row)
# %% rows by name
db.row_factory = sqlite3.Row
row = db.execute("SELECT * FROM sales WHERE amount > :least ORDER BY amount", {"least": 15}).fetchone()
dict(row), row.keys()
# %% a window function
[tuple(r) for r in db.execute("SELECT city, year, amount - lag(amount) OVER (PARTITION BY city ORDER BY year) FROM sales")]
# %% a function of Python in SQL
db.create_function("half", 1, lambda x: x / 2)
db.execute("SELECT half(amount) FROM sales LIMIT 1").fetchone()[0]
# %% a transaction that fails
try:
    with db:
        db.execute("DELETE FROM sales")
        db.execute("INSERT INTO nowhere VALUES (1)")
except sqlite3.OperationalError as error:
    print(error)
db.execute("SELECT count(*) FROM sales").fetchone()[0]
# %% a broken query
db.execute("SELEC 1")
# %% a file
import os

with sqlite3.connect("file.db") as file:
    file.execute("CREATE TABLE t (x)")
    file.execute("INSERT INTO t VALUES (?)", (b"bytes",))
file.close()
again = sqlite3.connect("file.db")
value = again.execute("SELECT x, typeof(x) FROM t").fetchall()
again.close()
os.remove("file.db")
value
