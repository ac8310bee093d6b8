# %% 统计字频
from collections import Counter

文本 = "床前明月光，疑是地上霜。举头望明月，低头思故乡。"
Counter(字 for 字 in 文本 if 字 not in "，。").most_common(3)
# %% 鸡兔同笼
头, 脚 = 35, 94
[(鸡, 头 - 鸡) for 鸡 in range(头 + 1) if 2 * 鸡 + 4 * (头 - 鸡) == 脚]
# %% 九九乘法表
for i in range(1, 10):
    print("  ".join(f"{j}×{i}={i * j}" for j in range(1, i + 1)))
# %% 水仙花数
[n for n in range(100, 1000) if n == sum(int(d) ** 3 for d in str(n))]
# %% 中文数字
数字 = "零一二三四五六七八九"
"".join(数字[int(d)] for d in str(2023)), "２０２３".isdigit(), int("２０２３")
# %% 身份证校验位
def 校验位(前十七位):
    权 = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(a) * b for a, b in zip(前十七位, 权)) % 11]


校验位("11010519491231002")
# %% 异常信息
raise ValueError("金额不能为负")
# %% 对齐
print(f"{'姓名':<6}{'分数':>6}")
for 名, 分 in {"李雷": 92.5, "韩梅梅": 88}.items():
    print(f"{名:　<6}{分:>6.1f}")
