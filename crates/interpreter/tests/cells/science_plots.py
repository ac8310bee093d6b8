# needs: matplotlib seaborn numpy pandas
# %% a line plot into a file
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(0, 2 * np.pi, 100)
fig, ax = plt.subplots(figsize=(4, 3))
ax.plot(x, np.sin(x), label="sin")
ax.legend()
fig.savefig("sine.png")
plt.close(fig)
open("sine.png", "rb").read(8)
# %% a vector file
fig, ax = plt.subplots()
ax.bar(["a", "b"], [1, 2])
fig.savefig("bar.svg")
plt.close(fig)
"<svg" in open("bar.svg", encoding="utf-8").read()
# %% what a histogram counts
counts, edges, _ = plt.hist([1, 1, 2, 3, 3, 3], bins=3)
plt.close()
counts.tolist(), edges.round(3).tolist()
# %% several axes
fig, axes = plt.subplots(2, 2)
for n, ax in enumerate(axes.flat):
    ax.set_title(f"plot {n}")
titles = [ax.get_title() for ax in axes.flat]
plt.close(fig)
axes.shape, titles
# %% a chart of a frame
import pandas as pd

ax = pd.DataFrame({"n": [3, 1, 2]}, index=list("abc")).plot.bar()
heights = [patch.get_height() for patch in ax.patches]
plt.close("all")
[float(h) for h in heights], [label.get_text() for label in ax.get_xticklabels()]
# %% seaborn
import seaborn as sns

sns.set_theme(style="whitegrid")
ax = sns.barplot(data=pd.DataFrame({"k": ["a", "a", "b"], "v": [1, 3, 5]}), x="k", y="v", errorbar=None)
heights = [float(patch.get_height()) for patch in ax.patches]
plt.close("all")
heights
# %% no open figures remain
plt.get_fignums()
# %% x and y that do not fit
plt.plot([1, 2], [1, 2, 3])
