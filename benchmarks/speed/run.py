"""Compares our engine with llama.cpp: the same weights in F32, the same machine, turn by turn.

Usage: run.py --model FILE.gguf [--binary target/release/qianshou] [--rounds 5] [--threads N]
              [--folder target/xtask/bench] [--random] [--peer-only] [--json FILE]

`cargo xtask bench` makes the Python environment, fetches the model and calls this. Progress goes to
stderr, a Markdown table to stdout.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import report

HERE = Path(__file__).resolve().parent


def main() -> None:
    arguments = parse()
    if find_spec("gguf") is None or find_spec("llama_cpp") is None:
        sys.exit(f"run `cargo xtask bench`, or install what {HERE / 'requirements.txt'} lists")

    # In processes of their own: the memory that this one has ever held counts for its children.
    if arguments.random:
        f32 = arguments.folder / "random-0.6B.F32.gguf"
        if not f32.exists():
            say("writing random weights")
            subprocess.run([sys.executable, str(HERE / "random_model.py"), str(f32)], check=True)
    else:
        f32 = arguments.folder / f"{arguments.model.stem}.F32.gguf"
        if not f32.exists():
            say(f"dequantising {arguments.model.name}")
            subprocess.run([sys.executable, str(HERE / "convert.py"), str(arguments.model), str(f32)], check=True)

    threads = str(arguments.threads)
    ours = [str(arguments.binary), "model", "bench", "--json", "--device", "cpu"]
    peer = [sys.executable, str(HERE / "peer.py"), str(f32), threads]
    subjects = {"llama.cpp": peer}
    if not arguments.peer_only:
        other = {} if arguments.random else {"qianshou, from the quantised file": [*ours, str(arguments.model)]}
        subjects = {"qianshou": [*ours, str(f32)], **other, **subjects}

    results = {name: [] for name in subjects}
    # Turn by turn, so that a slower minute of the machine falls on everybody.
    for turn in range(arguments.rounds):
        for name, command in subjects.items():
            say(f"round {turn + 1} of {arguments.rounds}: {name}")
            results[name].append({"version": version(command[0]), **measure(command, arguments.threads)})
    print(report.markdown(results, f32, arguments.threads))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--binary", type=Path, default=Path("target/release/qianshou"))
    parser.add_argument("--folder", type=Path, default=Path("target/xtask/bench"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--random", action="store_true", help="random weights in the shape of a 0.6 B Qwen")
    parser.add_argument("--peer-only", action="store_true")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def measure(command: list[str], threads: int) -> dict:
    """Runs one child to its end: the JSON object that it printed, and its peak memory as the
    system counted it."""
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"`{' '.join(command)}` failed with exit code {child.returncode}")
    result = json.loads(output)
    result["wall_seconds"] = time.perf_counter() - start
    result["resident_bytes"] = usage.ru_maxrss * 1024
    return result


def version(program: str) -> str:
    """What the program says that it is."""
    return subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
