"""Compares our tokenizer with tiktoken on the vocabulary of the first Qwen, turn by turn.

Usage: tokenizer.py --vocabulary FILE [--binary target/release/qianshou] [--rounds 5]

The file is `qwen.tiktoken`. Both encode the same texts, a text a call, in one thread, and must give the same
ids. Ours runs as `qianshou model tokenize`; the time of a run without texts (reading the vocabulary) is taken off.
"""

import argparse
import base64
import json
import os
import subprocess
import time
import unicodedata
from pathlib import Path
from statistics import median

import report
import tiktoken

PATTERN = (
    r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
)
MEGABYTE = 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--binary", type=Path, default=Path("target/release/qianshou"))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    lines = arguments.vocabulary.read_text().splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines)}
    peer = tiktoken.Encoding("qwen", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})

    texts = corpus()
    size = sum(len(text.encode()) for text in texts) / MEGABYTE
    command = [str(arguments.binary), "model", "tokenize", str(arguments.vocabulary.parent)]
    speeds = {"qianshou": [], "tiktoken": []}
    for _ in range(arguments.rounds):
        idle, _ = ours(command, [])
        seconds, ids = ours(command, texts)
        speeds["qianshou"].append(size / (seconds - idle))
        start = time.perf_counter()
        expected = [peer.encode_ordinary(unicodedata.normalize("NFC", text)) for text in texts]
        speeds["tiktoken"].append(size / (time.perf_counter() - start))
        assert ids == expected, "the two do not agree"

    print(f"{report.processor()} · {size:.1f} MB of {len(texts)} texts · median of {arguments.rounds} rounds\n")
    print("| MB/s | qianshou | tiktoken | ratio |\n|---|---|---|---|")
    ratio = median(speeds["qianshou"]) / median(speeds["tiktoken"])
    print(f"| one thread | {report.spread(speeds['qianshou'], 1)} | {report.spread(speeds['tiktoken'], 1)} | {ratio:.2f} × |")


def corpus() -> list[str]:
    """Texts as people send them: this repository's prose and code, and Chinese beside them."""
    root = Path(__file__).resolve().parents[2]
    files = sorted(path for kind in ("*.md", "*.rs", "*.py", "*.json") for path in root.glob(f"[!t]*/**/{kind}"))
    texts = [path.read_text() for path in files if path.stat().st_size < 200_000]
    chinese = "通义千问是一个大规模语言模型，它能够回答问题、调用工具、运行代码。今天杭州的天气是晴天，气温二十一度。"
    # Several times over, so that reading the vocabulary is small beside it.
    return [*texts, *(chinese * 40 for _ in range(40))] * 8


def ours(command: list[str], texts: list[str]) -> tuple[float, list[list[int]]]:
    """Seconds of one run, and what it printed."""
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    start = time.perf_counter()
    run = subprocess.run(
        command, input=lines, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "RAYON_NUM_THREADS": "1"}
    )
    return time.perf_counter() - start, [json.loads(line) for line in run.stdout.splitlines()]


if __name__ == "__main__":
    main()
