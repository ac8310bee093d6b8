"""Writes the files that the code-interpreter tasks read.

    python make_files.py [FOLDER]        (default: files/ beside this script)

The data are invented. Each file draws from a generator of its own, seeded with the file's name, so
that one file can change without the others, and a second run writes the same bytes. Only the
standard library is used.
"""

import csv
import io
import json
import math
import random
import sys
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path

FILES = {}


def file(name):
    """Registers a function that takes a random generator and returns the content of file `name`."""

    def register(make):
        FILES[name] = make
        return make

    return register


def table(header, rows, delimiter=","):
    """Renders rows as CSV text with LF line ends; `None` becomes an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def days(first, count):
    return [first + timedelta(days=n) for n in range(count)]


def clock(seconds):
    """Seconds as H:MM:SS."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


@file("bike_counts.csv")
def bike_counts(rng):
    """Two counting stations: commuters on the bridge, leisure riders at the lake."""
    rows = []
    for day in days(date(2025, 5, 1), 60):
        weekend = day.weekday() >= 5
        temperature = round(15 + 0.15 * (day - date(2025, 5, 1)).days + rng.gauss(0, 3), 1)
        rain = round(max(0.0, rng.gauss(-2, 5)), 1)
        weather = max(0.3, 1 + 0.02 * (temperature - 18) - 0.05 * rain)
        for station, usual in (("Bridge", 1400 if weekend else 2900), ("Lake", 1900 if weekend else 700)):
            count = round(usual * weather * rng.uniform(0.9, 1.1))
            rows.append([day.isoformat(), station, count, temperature, rain])
    return table(["date", "station", "count", "temperature_c", "rain_mm"], rows)


@file("coffee_orders.csv")
def coffee_orders(rng):
    """A week of orders in a café; cakes have no size."""
    menu = {"espresso": 2.2, "cappuccino": 3.4, "flat white": 3.8, "tea": 2.9, "carrot cake": 4.1, "croissant": 2.6}
    times = []
    for day in days(date(2025, 9, 1), 7):
        for _ in range(25 if day.weekday() < 5 else 20):
            hour = rng.choices(range(7, 18), weights=[6, 10, 9, 6, 4, 5, 6, 5, 5, 4, 2])[0]
            times.append(datetime(day.year, day.month, day.day, hour, rng.randrange(60)))
    rows = []
    for number, time in enumerate(sorted(times), start=1001):
        item = rng.choices(list(menu), weights=[5, 8, 6, 4, 3, 5])[0]
        size = None if item in ("carrot cake", "croissant", "espresso") else rng.choice(["small", "medium", "large"])
        price = menu[item] + {"medium": 0.5, "large": 0.9}.get(size, 0)
        rows.append([number, time.strftime("%Y-%m-%d %H:%M"), item, size, rng.choices([1, 2, 3], [7, 3, 1])[0], f"{price:.2f}"])
    return table(["order", "time", "item", "size", "quantity", "unit_price"], rows)


@file("run_results.csv")
def run_results(rng):
    """A half marathon. Runners who gave up have a 10 km time at most."""
    rows = []
    for bib in rng.sample(range(1, 400), 150):
        group = rng.choices(["18-29", "30-39", "40-49", "50-59", "60+"], [3, 5, 5, 3, 2])[0]
        pace = rng.gauss({"18-29": 322, "30-39": 325, "40-49": 338, "50-59": 360, "60+": 392}[group], 35)
        pace = max(215, pace + (18 if (gender := rng.choice("FM")) == "F" else 0))
        ten = round(10 * pace)
        finish = round(21.0975 * pace * rng.uniform(1.0, 1.07))
        gave_up = rng.random() < 0.06
        rows.append([bib, gender, group, clock(ten), None if gave_up else clock(finish)])
    return table(["bib", "gender", "age_group", "time_10k", "time_finish"], rows)


@file("energy_bills.csv")
def energy_bills(rng):
    """Three years of a household with a heat pump from November 2023 on."""
    rows = []
    for n in range(36):
        year, month = 2022 + n // 12, n % 12 + 1
        cold = 0.5 + 0.5 * math.cos(2 * math.pi * (month - 1) / 12)
        pump = (year, month) >= (2023, 11)
        gas = 0 if pump else round(250 + 1900 * cold + rng.gauss(0, 80))
        power = round(230 + 40 * cold + (560 * cold + 60 if pump else 0) + rng.gauss(0, 15))
        rows.append([f"{year}-{month:02d}", power, gas, f"{power * 0.34:.2f}", f"{gas * 0.11:.2f}"])
    return table(["month", "electricity_kwh", "gas_kwh", "electricity_eur", "gas_eur"], rows)


@file("rainfall.csv")
def rainfall(rng):
    """Monthly rain at three stations, a column each, with gaps where a gauge was out of order."""
    wet = {"Kestrel Hill": 110, "Old Mill": 75, "Saltmarsh": 52}
    rows = []
    for n in range(48):
        season = 1 + 0.35 * math.cos(2 * math.pi * (n % 12) / 12)
        values = [round(max(2, usual * season * rng.uniform(0.5, 1.5)), 1) for usual in wet.values()]
        values = [None if rng.random() < 0.06 else value for value in values]
        rows.append([2021 + n // 12, n % 12 + 1, *values])
    return table(["year", "month", *wet], rows)


@file("support_tickets.csv")
def support_tickets(rng):
    """Tickets of three teams; open ones have no closing time, and not everyone rates."""
    rows = []
    for number in range(1, 161):
        opened = datetime(2025, 3, 1) + timedelta(minutes=rng.randrange(31 * 24 * 60))
        team = rng.choices(["billing", "hardware", "accounts"], [4, 3, 5])[0]
        priority = rng.choices(["low", "normal", "high"], [3, 5, 2])[0]
        hours = rng.expovariate(1 / {"low": 60, "normal": 30, "high": 8}[priority]) * {"hardware": 1.6}.get(team, 1)
        closed = opened + timedelta(minutes=round(hours * 60) + 5)
        open_still = closed >= datetime(2025, 4, 3)
        rating = None if open_still or rng.random() < 0.35 else min(5, max(1, round(rng.gauss(4.4 - hours / 60, 0.9))))
        stamp = "%Y-%m-%d %H:%M"
        rows.append([f"T{number:04d}", opened.strftime(stamp), None if open_still else closed.strftime(stamp), team, priority, rating])
    return table(["ticket", "opened", "closed", "team", "priority", "rating"], sorted(rows, key=lambda row: row[1]))


@file("house_sales.csv")
def house_sales(rng):
    """Prices that follow area, age and district, with noise."""
    rows = []
    for _ in range(90):
        district = rng.choices(["North", "Harbour", "Old Town", "Hillside"], [4, 3, 2, 3])[0]
        area = round(rng.uniform(45, 190))
        built = rng.choice(range(1905, 2024))
        per_metre = {"North": 3100, "Harbour": 4300, "Old Town": 5000, "Hillside": 3700}[district]
        price = area * per_metre * (1 + 0.0015 * (built - 1980)) * rng.uniform(0.9, 1.1)
        rows.append([district, area, max(1, round(area / 28 + rng.gauss(0, 0.5))), built, 1000 * round(price / 1000)])
    return table(["district", "area_m2", "rooms", "year_built", "price_eur"], rows)


@file("yeast_growth.csv")
def yeast_growth(rng):
    """Optical density of three replicates in two media, every two hours: logistic growth."""
    rows = []
    for medium, rate, limit in (("glucose", 0.42, 6.0), ("galactose", 0.28, 4.5)):
        for hour in range(0, 24, 2):
            for replicate in "ABC":
                density = limit / (1 + (limit / 0.1 - 1) * math.exp(-rate * hour))
                rows.append([medium, hour, replicate, f"{density * rng.uniform(0.95, 1.05):.3f}"])
    return table(["medium", "hour", "replicate", "od600"], rows)


@file("library_loans.csv")
def library_loans(rng):
    """As German spreadsheets write it: semicolons, decimal commas, dates as DD.MM.YYYY."""
    fees = {"Roman": 0.5, "Sachbuch": 0.5, "Film": 1.2, "Spiel": 1.5}
    rows = []
    for _ in range(80):
        lent = date(2025, 1, 2) + timedelta(days=rng.randrange(120))
        kind = rng.choice(list(fees))
        kept = rng.randrange(3, 46)
        fee = max(0, kept - 28) * fees[kind]
        back = lent + timedelta(days=kept)
        rows.append([f"{lent:%d.%m.%Y}", f"{back:%d.%m.%Y}", kind, rng.randrange(1, 61), f"{fee:.2f}".replace(".", ",")])
    return table(["lent", "returned", "kind", "reader", "late_fee"], rows, delimiter=";")


@file("store_sales_zh.csv")
def store_sales(rng):
    """连锁水果店：四家门店、三个品类、十四周。"""
    rows = []
    for week, monday in enumerate(days(date(2025, 3, 3), 98)[::7]):
        for store, size in (("人民路店", 1.3), ("大学城店", 1.0), ("火车站店", 0.8), ("滨江店", 1.1)):
            for kind, usual, price in (("苹果", 210, 9.8), ("香蕉", 260, 6.5), ("草莓", 120, 28.0)):
                season = max(0.15, 1.6 - 0.13 * week) if kind == "草莓" else 1
                kilos = round(usual * size * season * rng.uniform(0.85, 1.15), 1)
                rows.append([monday.isoformat(), store, kind, kilos, f"{kilos * price:.2f}"])
    return table(["周起始日", "门店", "品类", "销量_千克", "销售额_元"], rows)


@file("scores_zh.csv")
def scores(rng):
    """三个班的期末成绩；缺考为空。"""
    rows = []
    for klass, level in (("一班", 4), ("二班", 0), ("三班", -3)):
        for number in range(1, 31):
            talent = rng.gauss(78 + level, 9)
            marks = [min(100, max(20, round(talent + shift + rng.gauss(0, 7)))) for shift in (1, -2, 0, -5)]
            marks = [None if rng.random() < 0.02 else mark for mark in marks]
            rows.append([f"{'一二三'.index(klass[0]) + 1}{number:02d}", klass, rng.choice("男女"), *marks])
    return table(["学号", "班级", "性别", "语文", "数学", "英语", "物理"], rows)


@file("air_quality_zh.csv")
def air_quality(rng):
    """三座城市冬季两个月的空气质量。"""
    rows = []
    for day in days(date(2025, 11, 1), 61):
        stagnant = rng.uniform(0.5, 1.9)
        for city, usual in (("青禾市", 62), ("临海市", 31), ("石川市", 88)):
            fine = round(usual * stagnant * rng.uniform(0.75, 1.25))
            rows.append([day.isoformat(), city, fine, round(fine * rng.uniform(1.3, 1.8)), round(rng.uniform(40, 110))])
    return table(["日期", "城市", "PM2.5", "PM10", "臭氧"], rows)


@file("metro_flow_zh.csv")
def metro_flow(rng):
    """某工作日五条线路分小时的进站与出站人次。"""
    rows = []
    for line, size in (("1号线", 9000), ("2号线", 12000), ("3号线", 6500), ("4号线", 5200), ("S1线", 2100)):
        for hour in range(5, 24):
            morning, evening = math.exp(-((hour - 8) ** 2) / 3), math.exp(-((hour - 18) ** 2) / 4)
            entries = size * (0.15 + morning + 0.85 * evening) * rng.uniform(0.93, 1.07)
            exits = size * (0.14 + 0.9 * morning + 0.95 * evening) * rng.uniform(0.93, 1.07)
            rows.append([line, hour, round(entries), round(exits)])
    return table(["线路", "小时", "进站", "出站"], rows)


@file("employees_zh.csv")
def employees(rng):
    """八十名员工；月薪随学历与司龄增长。"""
    rows = []
    for number in range(1, 81):
        degree = rng.choices(["大专", "本科", "硕士", "博士"], [3, 6, 3, 1])[0]
        department = rng.choices(["研发", "销售", "客服", "财务", "行政"], [6, 4, 3, 2, 1])[0]
        joined = date(2012, 1, 1) + timedelta(days=rng.randrange(4900))
        base = {"大专": 6200, "本科": 8800, "硕士": 12500, "博士": 17000}[degree] + {"研发": 3000, "销售": 800}.get(department, 0)
        salary = base * (1 + 0.035 * (2025 - joined.year)) * rng.uniform(0.9, 1.12)
        rows.append([f"E{number:03d}", department, rng.choice("男女"), joined.isoformat(), degree, round(salary / 100) * 100])
    return table(["工号", "部门", "性别", "入职日期", "学历", "月薪"], rows)


@file("orders_zh.csv")
def orders(rng):
    """网店订单，含退款与重复导出的行。"""
    rows = []
    for number in range(1, 193):
        time = datetime(2025, 6, 1) + timedelta(minutes=rng.randrange(30 * 24 * 60))
        amount = round(math.exp(rng.gauss(4.9, 0.7)), 2)
        province = rng.choices(["浙江", "广东", "四川", "山东", "湖北"], [5, 6, 3, 4, 2])[0]
        status = rng.choices(["已完成", "已退款", "待发货"], [8, 1, 1])[0]
        payment = rng.choices(["微信", "支付宝", "银行卡"], [5, 4, 1])[0]
        rows.append([f"D2506{number:04d}", time.strftime("%Y/%m/%d %H:%M"), province, f"{amount:.2f}", payment, status])
    rows += [list(row) for row in rng.sample(rows, 8)]
    rng.shuffle(rows)
    return table(["订单号", "下单时间", "省份", "金额", "支付方式", "状态"], rows)


@file("tea_export_zh.csv")
def tea_export(rng):
    """二十四年的茶叶出口量，单位吨。"""
    green, black, oolong = 1500.0, 900.0, 400.0
    rows = []
    for year in range(2001, 2025):
        rows.append([year, round(green), round(black), round(oolong)])
        green *= rng.uniform(0.98, 1.12)
        black *= rng.uniform(0.93, 1.08)
        oolong *= rng.uniform(0.95, 1.15)
    return table(["年份", "绿茶", "红茶", "乌龙茶"], rows)


@file("members_gbk.csv")
def members(rng):
    """会员名单，按旧软件的习惯用 GBK 编码。"""
    surnames, given = "赵钱孙李周吴郑王冯陈", ["子涵", "雨桐", "浩然", "思源", "静怡", "明远", "佳宁", "志强"]
    rows = []
    for number in range(1, 41):
        city = rng.choice(["苏州", "无锡", "常州", "南通"])
        level = rng.choices(["普通", "银卡", "金卡"], [5, 3, 1])[0]
        rows.append([f"M{number:03d}", rng.choice(surnames) + rng.choice(given), city, level, rng.randrange(0, 5000, 10)])
    return table(["编号", "姓名", "城市", "等级", "积分"], rows).encode("gbk")


@file("server.log")
def server_log(rng):
    """Access log of a small web service; a few lines are cut off."""
    lines = []
    time = datetime(2025, 10, 6, 9, 0, 0)
    for _ in range(140):
        time += timedelta(seconds=rng.randrange(1, 40))
        path = rng.choices(["/", "/api/items", "/api/login", "/static/app.js", "/api/export"], [4, 6, 3, 4, 1])[0]
        status = rng.choices([200, 304, 401, 404, 500], [14, 3, 1, 1, 1])[0]
        took = round(rng.expovariate(1 / (900 if path == "/api/export" else 60))) + 3
        line = f"{time:%Y-%m-%dT%H:%M:%S} 10.0.{rng.randrange(3)}.{rng.randrange(2, 9)} GET {path} {status} {took}ms"
        lines.append(line[: rng.randrange(10, 30)] if rng.random() < 0.03 else line)
    return "\n".join(lines) + "\n"


@file("inventory.json")
def inventory(rng):
    """A nested stock list: warehouses, shelves, parts."""
    parts = ["hinge", "bolt M6", "bolt M8", "bracket", "washer", "spring", "caster"]
    warehouses = []
    for city in ("Ghent", "Lyon", "Turin"):
        shelves = []
        for shelf in range(1, 5):
            chosen = sorted(rng.sample(parts, 4))
            stock = [{"part": part, "count": rng.randrange(0, 400), "unit_price": round(rng.uniform(0.05, 6), 2)} for part in chosen]
            shelves.append({"shelf": f"{city[0]}{shelf}", "stock": stock})
        warehouses.append({"city": city, "shelves": shelves})
    return json.dumps({"updated": "2025-10-01", "warehouses": warehouses}, indent=1) + "\n"


@file("config_zh.json")
def config(_):
    """嵌套的设备配置。"""
    settings = {
        "设备": {"名称": "温室控制器", "位置": {"楼": "3号棚", "经度": 118.62, "纬度": 31.95}},
        "传感器": [
            {"编号": "t1", "类型": "温度", "范围": [-10, 50], "启用": True},
            {"编号": "h1", "类型": "湿度", "范围": [0, 100], "启用": True},
            {"编号": "c1", "类型": "二氧化碳", "范围": [300, 5000], "启用": False},
            {"编号": "l1", "类型": "光照", "范围": [0, 120000], "启用": True},
        ],
        "告警": {"温度": {"上限": 35, "下限": 8}, "湿度": {"上限": 85}},
    }
    return json.dumps(settings, ensure_ascii=False, indent=2) + "\n"


@file("essay.txt")
def essay(_):
    """A short text with repeated words, hyphens and two paragraphs."""
    return (
        "The lighthouse keeper counted ships the way other people count sheep. A red-hulled trawler, "
        "a ferry, a tanker; then the ferry again, because the ferry always came back.\n\n"
        "On foggy nights the ships became sounds. The keeper wrote the sounds down: one long horn, "
        "two short horns, a bell. In the morning the ships were ships again, and the keeper, who had "
        "not slept, drew a line under the night and wrote the number of ships beside the line.\n"
    )


@file("diary_zh.txt")
def diary(_):
    """若干天的日记，日期写法不一。"""
    return (
        "2025年3月5日 晴 跑步5公里，花了28元买菜。\n"
        "2025-03-06 多云 骑车12.5公里，午饭35元，咖啡19元。\n"
        "2025/3/8 小雨 没运动。交话费100元。\n"
        "2025年3月9日 阴 跑步7.2公里，看电影46.5元。\n"
        "2025-03-11 晴 爬山，走了9公里，车票16元，晚饭88元。\n"
        "2025/03/12 晴 跑步6公里，什么都没买。\n"
    )


@file("letters.zip")
def letters(_):
    """An archive with folders and text files of known length."""
    texts = {
        "2024/april.txt": "Dear Nora,\nthe swallows are back.\nYours, Emil\n",
        "2024/august.txt": "Dear Nora,\nthe harvest is poor this year.\nThe well is low.\nYours, Emil\n",
        "2025/january.txt": "Dear Emil,\nsnow up to the sills.\nThe dog refuses to go out.\nSend coffee.\nYours, Nora\n",
        "2025/march.txt": "Dear Nora,\ncoffee is on its way.\nYours, Emil\n",
        "readme.md": "# Letters\nScanned and typed by hand.\n",
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        for name, text in texts.items():
            bundle.writestr(zipfile.ZipInfo(name, (2025, 4, 1, 12, 0, 0)), text)
    return archive.getvalue()


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "files"
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        content = make(random.Random(name))
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


if __name__ == "__main__":
    main()
