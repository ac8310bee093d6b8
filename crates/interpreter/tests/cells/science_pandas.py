# needs: pandas openpyxl
# %% a frame
import io

import pandas as pd

csv = """date,city,product,units,price
2023-01-05,北京,tea,10,2.5
2023-01-19,上海,tea,7,2.6
2023-02-02,北京,coffee,3,4.0
2023-02-11,上海,coffee,,4.2
2023-03-08,北京,tea,12,2.4
"""
df = pd.read_csv(io.StringIO(csv), parse_dates=["date"])
df
# %% shape and kinds
print(df.shape, [str(t) for t in df.dtypes][3:])
df.isna().sum()
# %% filling and computing
df["units"] = df["units"].fillna(0).astype(int)
df["revenue"] = df["units"] * df["price"]
df[["city", "revenue"]]
# %% grouping
df.groupby("city")["revenue"].agg(["sum", "mean"]).round(2)
# %% a pivot table
df.pivot_table(index="city", columns="product", values="units", aggfunc="sum")
# %% filters
df.query("units > 5 and city == '北京'")["product"].tolist()
# %% months
df.groupby(df["date"].dt.month)["revenue"].sum()
# %% describing
df["price"].describe().round(3)
# %% sorting and ranking
df.sort_values("revenue", ascending=False).head(2).reset_index(drop=True)[["date", "revenue"]]
# %% merging
managers = pd.DataFrame({"city": ["北京", "上海"], "manager": ["Li", "Wang"]})
df.merge(managers, on="city", how="left")[["units", "manager"]].drop_duplicates()
# %% writing and reading a CSV file
df.to_csv("sales.csv", index=False)
pd.read_csv("sales.csv").equals(pd.read_csv("sales.csv")), len(open("sales.csv").readlines())
# %% Excel, two sheets
with pd.ExcelWriter("sales.xlsx") as writer:
    df.drop(columns="date").to_excel(writer, sheet_name="sales", index=False)
    managers.to_excel(writer, sheet_name="managers", index=False)
sheets = pd.read_excel("sales.xlsx", sheet_name=None)
{name: sheet.shape for name, sheet in sheets.items()}
# %% openpyxl itself
from openpyxl import Workbook, load_workbook

book = Workbook()
sheet = book.active
sheet.append(["商品", "数量"])
sheet.append(["茶", 3])
sheet["C2"] = "=B2*2"
book.save("book.xlsx")
[[cell.value for cell in row] for row in load_workbook("book.xlsx").active.iter_rows()]
# %% series
s = pd.Series([1, 3, 2], index=list("abc"), name="n")
print(s.cumsum().to_dict(), s.idxmax())
s
# %% apply with a lambda, strings
names = pd.Series(["Li Lei", "Han Meimei"])
names.str.split().str[0].str.upper().tolist(), s.apply(lambda v: v**2).tolist()
# %% rolling and shifting
pd.Series([1.0, 2.0, 4.0, 8.0]).rolling(2).mean().tolist()[1:], s.shift(1).fillna(0).tolist()
# %% dates
[str(day.date()) for day in pd.date_range("2024-02-27", periods=4, freq="D")]
# %% resampling
pd.Series(range(6), index=pd.date_range("2024-01-01", periods=6, freq="12h")).resample("D").sum()
# %% melting and stacking
wide = pd.DataFrame({"id": [1, 2], "a": [3, 4], "b": [5, 6]})
wide.melt(id_vars="id").sort_values(["id", "variable"]).reset_index(drop=True)
# %% json of a frame
managers.to_json(orient="records", force_ascii=False)
# %% a column that is not there
df["no such column"]
# %% sql
import sqlite3

db = sqlite3.connect(":memory:")
df.drop(columns="date").to_sql("sales", db, index=False)
pd.read_sql("SELECT city, sum(units) AS n FROM sales GROUP BY city ORDER BY n", db)
# %% categories and bins
pd.cut(pd.Series([1, 5, 9]), [0, 3, 6, 10], labels=["low", "mid", "high"]).tolist(), pd.get_dummies(df["product"]).sum().to_dict()
# %% a multi-index
df.groupby(["city", "product"])["units"].sum()
# %% correlation
pd.DataFrame({"x": [1, 2, 3, 4], "y": [2, 4, 6, 8], "z": [4, 3, 2, 1]}).corr().round(3)
# %% a long frame
pd.DataFrame({"n": range(1000), "square": [n * n for n in range(1000)]})
