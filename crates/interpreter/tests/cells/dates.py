# %% weekday and difference
from datetime import date, datetime, timedelta, timezone

d = date(2023, 9, 28)
print(d.strftime("%A, %d %B %Y"), d.isocalendar()[1])
(date(2024, 3, 1) - date(2024, 2, 1)).days
# %% a datetime as value
datetime(2024, 2, 29, 12, 30) + timedelta(days=366, hours=5)
# %% parsing
datetime.strptime("28/09/23 14:05", "%d/%m/%y %H:%M"), date.fromisoformat("2024-12-31")
# %% zones
shanghai = timezone(timedelta(hours=8), "CST")
t = datetime(2024, 1, 1, 0, 0, tzinfo=shanghai)
print(t.isoformat(), t.astimezone(timezone.utc).isoformat())
t.utcoffset()
# %% days of a month
import calendar

print(calendar.month(2024, 2))
calendar.monthrange(2023, 2), calendar.isleap(2100)
# %% working days between two dates
def working_days(a, b):
    return sum((a + timedelta(n)).weekday() < 5 for n in range((b - a).days))


working_days(date(2024, 1, 1), date(2024, 2, 1))
# %% age on a day
def age(born, on):
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


[age(date(2000, 2, 29), date(2024, 2, day)) for day in (28, 29)]
# %% a timestamp
datetime.fromtimestamp(1_700_000_000, timezone.utc).isoformat()
# %% a day that is not
date(2023, 2, 29)
