# 90d. Take too much memory in programs that nobody may read
# outcome: killed
import shutil, subprocess
shutil.copy(shutil.which("tail"), "hidden")
os.chmod("hidden", 0o111)
size = 120 << 20
# Each keeps what it has read until there is no more.
children = [subprocess.Popen(["./hidden", "-c", str(size)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) for _ in range(5)]
try:
    for child in children:
        child.stdin.write(bytes(size))
        child.stdin.flush()
except OSError as error:
    print("stopped", error)
linger(lambda: all(child.poll() is None for child in children))
