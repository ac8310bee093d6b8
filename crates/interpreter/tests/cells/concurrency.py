# %% coroutines
import asyncio


async def work(name, turns):
    for turn in range(turns):
        await asyncio.sleep(0)
    return f"{name}: {turns}"


asyncio.run(work("one", 3))
# %% gathering
async def main():
    return await asyncio.gather(work("a", 2), work("b", 1), *(work(str(n), n) for n in range(3)))


asyncio.run(main())
# %% a queue between coroutines
async def produce(queue):
    for n in range(4):
        await queue.put(n)
    await queue.put(None)


async def consume(queue):
    found = []
    while (item := await queue.get()) is not None:
        found.append(item * item)
    return found


async def pipeline():
    queue = asyncio.Queue(maxsize=1)
    _, found = await asyncio.gather(produce(queue), consume(queue))
    return found


asyncio.run(pipeline())
# %% time-out and cancellation
async def slow():
    try:
        await asyncio.sleep(100)
    except asyncio.CancelledError:
        print("cancelled")
        raise


async def impatient():
    try:
        await asyncio.wait_for(slow(), 0.01)
    except asyncio.TimeoutError:
        return "too slow"


asyncio.run(impatient())
# %% asynchronous generators and context managers
async def ticks(n):
    for i in range(n):
        yield i


class Manager:
    async def __aenter__(self):
        return "in"

    async def __aexit__(self, *error):
        print("out")


async def use():
    async with Manager() as m:
        return m, [t async for t in ticks(3)]


asyncio.run(use())
# %% an error in a coroutine
async def fail():
    raise LookupError("inside")


asyncio.run(fail())
# %% a subprocess of asyncio
async def shell():
    process = await asyncio.create_subprocess_exec("echo", "from a child", stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return output, process.returncode


asyncio.run(shell())
# %% threads with a lock
import threading

total, lock = 0, threading.Lock()


def add(n):
    global total
    for _ in range(n):
        with lock:
            total += 1


threads = [threading.Thread(target=add, args=(1000,)) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
total
# %% a pool of threads
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed

with ThreadPoolExecutor(3) as pool:
    futures = [pool.submit(pow, n, 2) for n in range(5)]
    results = sorted(future.result() for future in as_completed(futures))
results
# %% thread-local data and events
local, ready, seen = threading.local(), threading.Event(), []
local.x = "main"


def other():
    ready.wait()
    seen.append(hasattr(local, "x"))


t = threading.Thread(target=other)
t.start()
ready.set()
t.join()
seen
# %% processes
import multiprocessing as mp


def cube(n):
    return n**3


if __name__ == "__main__":
    with mp.get_context("fork").Pool(2) as pool:
        print(pool.map(cube, range(6)))
# %% a queue between processes
def child(queue, n):
    queue.put(sum(range(n)))


context = mp.get_context("fork")
queue = context.Queue()
process = context.Process(target=child, args=(queue, 101))
process.start()
answer = queue.get()
process.join()
answer, process.exitcode
# %% a process pool executor
with ProcessPoolExecutor(2, mp_context=context) as pool:
    cubes = list(pool.map(cube, [1, 2, 3]))
cubes
# %% shared memory
shared = context.Value("i", 0)


def increase():
    with shared.get_lock():
        shared.value += 1


workers = [context.Process(target=increase) for _ in range(3)]
[w.start() for w in workers]
[w.join() for w in workers]
shared.value
# %% commands
import subprocess

done = subprocess.run(["sh", "-c", "echo out; echo err >&2; exit 3"], capture_output=True, text=True)
done.stdout, done.stderr, done.returncode
# %% a command that prints by itself
subprocess.check_call(["echo", "printed by the child"])
# %% a pipe to a command
subprocess.run(["sort", "-r"], input="b\na\nc\n", capture_output=True, text=True, check=True).stdout.split()
# %% a command that fails
subprocess.run(["false"], check=True)
# %% another python
import sys

subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True).stdout
# %% fork by hand
import os

read, write = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(write, b"child")
    os._exit(7)
os.close(write)
os.read(read, 100), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
