"""Compares sessions of our interpreter with ipykernel, driven by jupyter_client, turn by turn.

Usage: interpreter.py --timing target/release/examples/timing [--python PROGRAM] [--rounds 5] [--each 20]

`timing` is the example of that name of `qianshou-interpreter`. Both run the Python given, which has ipykernel and the
packages that our sessions import beforehand. Ours starts a session by a fork of a warm Python, so its first result has
them at hand; a new kernel has to import them. A kernel that dies is restarted by its manager and loses its variables,
which is the nearest that it has to our going back to the state before.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import report
from jupyter_client.manager import KernelManager

IMPORTS = "import numpy, pandas, matplotlib.pyplot, sympy, scipy"
CELLS = 20
MEBIBYTE = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timing", type=Path, required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--each", type=int, default=20, help="sessions of ours a round")
    arguments = parser.parse_args()

    ours, theirs = {}, {}
    for _ in range(arguments.rounds):
        for results, measured in ((ours, run_ours(arguments)), (theirs, run_theirs(arguments.python))):
            for name, value in measured.items():
                results.setdefault(name, []).append(value)

    print(f"{report.processor()}, {os.cpu_count()} cores · median of {arguments.rounds} rounds (lowest–highest)\n")
    print("| | qianshou | ipykernel | ratio |\n|---|---|---|---|")
    for label, name in (
        ("start to first result, packages imported, ms", "first_result"),
        ("a cell, one after another, ms", "warm_cell"),
        ("a cell, after a pause, ms", "rested_cell"),
        ("from a crash to the next result, ms", "crash_to_restored"),
        ("memory of a session, MiB", "memory"),
    ):
        ratio = median(theirs[name]) / median(ours[name])
        print(f"| {label} | {report.spread(ours[name], 1)} | {report.spread(theirs[name], 1)} | {ratio:.1f} × |")


def run_ours(arguments: argparse.Namespace) -> dict[str, float]:
    environment = {**os.environ, "VIRTUAL_ENV": str(Path(arguments.python).parents[1])}
    command = [str(arguments.timing), str(arguments.each)]
    run = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    measured = json.loads(run.stdout)
    names = ("first_result", "warm_cell", "rested_cell", "crash_to_restored")
    medians = {name: median(measured[name]) for name in names}
    return {**medians, "memory": median(measured["session_bytes"]) / MEBIBYTE}


def run_theirs(python: str) -> dict[str, float]:
    manager = KernelManager(kernel_cmd=[python, "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    start = time.perf_counter()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    execute(client, IMPORTS)
    first = milliseconds(start)

    start = time.perf_counter()
    for _ in range(CELLS):
        execute(client, "1 + 1")
    warm = milliseconds(start) / CELLS

    rested = []
    for _ in range(CELLS):
        time.sleep(0.05)
        start = time.perf_counter()
        execute(client, "1 + 1")
        rested.append(milliseconds(start))

    memory = resident(manager.provisioner.pid) / MEBIBYTE
    start = time.perf_counter()
    client.execute("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    while manager.is_alive():
        time.sleep(0.001)
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=120)
    execute(client, IMPORTS)
    restored = milliseconds(start)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    return {
        "first_result": first,
        "warm_cell": warm,
        "rested_cell": median(rested),
        "crash_to_restored": restored,
        "memory": memory,
    }


def execute(client, code: str) -> None:
    reply = client.execute_interactive(code, timeout=120, output_hook=lambda message: None)
    assert reply["content"]["status"] == "ok", reply


def resident(process: int) -> int:
    """The proportional set size of a process, in bytes."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def milliseconds(start: float) -> float:
    return (time.perf_counter() - start) * 1e3


if __name__ == "__main__":
    main()
