"""From the rounds' numbers to a Markdown table."""

import os
import platform
from pathlib import Path
from statistics import median

MEBIBYTE = 2**20


def markdown(results: dict[str, list[dict]], model: Path, threads: int) -> str:
    """The table: medians over the rounds, with the spread, and ratios to the peer."""
    rounds = len(next(iter(results.values())))
    ours = [name for name in results if name != "llama.cpp"]
    versions = " · ".join(sorted({run["version"] for runs in results.values() for run in runs if "version" in run}))
    lines = [
        f"{processor()}, {os.cpu_count()} cores, {threads} threads, {platform.system()} {platform.machine()}",
        f"{versions} · weights {model.stat().st_size / MEBIBYTE:.0f} MiB · median of {rounds} rounds (lowest–highest)",
        "",
        "| " + " | ".join(["", *results, *(f"{name} ÷ llama.cpp" for name in ours)]) + " |",
        "|---" * (1 + len(results) + len(ours)) + "|",
    ]
    for label, pick, digits in rows(results):
        values = {name: [pick(run) for run in runs] for name, runs in results.items()}
        cells = [spread(column, digits) for column in values.values()]
        cells += [f"{median(values[name]) / median(values['llama.cpp']):.2f} ×" for name in ours]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    lines += ["", "Memory is the peak resident size of the process, for llama.cpp without what Python holds before loading."]
    return "\n".join(line.rstrip() for line in lines)


def rows(results: dict[str, list[dict]]):
    """Label, value of a run, and digits after the point, for each line of the table."""
    yield "load, s", lambda run: run["load_seconds"], 2
    lengths = [entry["tokens"] for entry in results["llama.cpp"][0]["prefill"]]
    for length in lengths:
        yield f"prefill of {length}, tokens/s", lambda run, length=length: prefill(run, length), 1
    yield "decode, tokens/s", lambda run: run["decode_tokens_per_second"], 1
    yield "peak memory, MiB", lambda run: (run["resident_bytes"] - run.get("baseline_bytes", 0)) / MEBIBYTE, 0


def prefill(run: dict, length: int) -> float:
    """The run's prefill speed for prompts of `length` tokens."""
    return next(entry["tokens_per_second"] for entry in run["prefill"] if entry["tokens"] == length)


def spread(values: list[float], digits: int) -> str:
    """The median, and how far the rounds lie apart."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def processor() -> str:
    """The processor's name as Linux knows it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown processor"
