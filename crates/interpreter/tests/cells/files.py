# %% writing and reading
from pathlib import Path

folder = Path("notes")
folder.mkdir(exist_ok=True)
(folder / "a.txt").write_text("第一行\nsecond line\n", encoding="utf-8")
with open("notes/a.txt", encoding="utf-8") as file:
    for number, line in enumerate(file, 1):
        print(number, line.rstrip())
# %% listing
for name in ("b.txt", "c.md"):
    (folder / name).touch()
sorted(path.name for path in folder.iterdir()), [str(p) for p in sorted(folder.glob("*.txt"))]
# %% paths
p = Path("/data/archive.tar.gz")
p.stem, p.suffixes, p.parent, p.with_suffix(".zip"), p / "x"
# %% temporary files
import os
import tempfile

with tempfile.TemporaryDirectory() as temporary:
    name = os.path.join(temporary, "x")
    with open(name, "wb") as file:
        file.write(bytes(1000))
    size = os.path.getsize(name)
size, os.path.exists(name)
# %% archives
import io
import zipfile

buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("one.txt", "1" * 100)
    archive.writestr("dir/two.txt", "2")
zipfile.ZipFile(buffer).namelist(), zipfile.ZipFile(buffer).read("dir/two.txt")
# %% moving and removing
import shutil

shutil.copy(folder / "a.txt", folder / "copy.txt")
os.rename(folder / "copy.txt", folder / "moved.txt")
found = (folder / "moved.txt").exists()
shutil.rmtree(folder)
found, folder.exists()
# %% a mapped file
import mmap

with open("mapped", "wb+") as file:
    file.write(b"hello world")
    file.flush()
    with mmap.mmap(file.fileno(), 0) as mapped:
        mapped[:5] = b"HELLO"
        text = mapped[:]
os.remove("mapped")
text
# %% lines of numbers
Path("n.txt").write_text("\n".join(map(str, range(1, 101))))
total = sum(int(line) for line in open("n.txt"))
os.remove("n.txt")
total
# %% text streams
stream = io.StringIO("a\nb\n")
stream.readline(), stream.read(), stream.tell()
# %% a module written by the cell
Path("made_here.py").write_text("def answer():\n    return 42\n")
import made_here

made_here.answer()
