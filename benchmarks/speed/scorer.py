"""The speed of the plugin exam's rules in Python, on the same replies as the example `harness_speed`.

    pip install json5 rouge-score tiktoken
    python scorer.py qwen.tiktoken

The rules are the official script's, with the packages that it uses. Prints one JSON object; `sum_of_scores_a_round`
has to be that of the example.
"""

import base64
import json
import sys
import time
from pathlib import Path

import json5
import tiktoken
from rouge_score import rouge_scorer

PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


class Words:
    def tokenize(self, text):
        return text.split()


def read(reply):
    reply += "\n"
    action, given, seen = (reply.find(keyword) for keyword in ("Action:", "Action Input:", "Observation:"))
    text = reply[given + len("Action Input:") : seen].strip()
    try:
        text = json.dumps(json5.loads(text), ensure_ascii=False, sort_keys=True)
    except Exception:
        text = ""
    return reply[action + len("Action:") : given].strip(), text


def main():
    lines = Path(sys.argv[1]).read_bytes().splitlines()
    ranks = {base64.b64decode(piece): int(rank) for piece, rank in (line.split() for line in lines if line)}
    encoding = tiktoken.Encoding("qwen", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})
    scorer = rouge_scorer.RougeScorer(["rougeL"], tokenizer=Words())
    golden = Path(__file__).parent.parent / "tests" / "goldens" / "scoring" / "plugin.jsonl"
    rows = [json.loads(line) for line in golden.read_text(encoding="utf-8").splitlines()]
    replies = [(row["gen"][0], row["response"]) for row in rows]

    def pieces(text):
        return " ".join(encoding.decode_single_token_bytes(token).decode("utf-8", "replace") for token in encoding.encode_ordinary(text))

    size, rounds, total, begun = sum(len(text.encode()) for pair in replies for text in pair), 0, 0.0, time.perf_counter()
    while time.perf_counter() - begun < 3:
        for reply, expected in replies:
            ours, theirs = read(reply), read(expected)
            total += "\nAction: " in reply and ours[0].lower() == theirs[0].lower()
            total += scorer.score(pieces(ours[1]), pieces(theirs[1]))["rougeL"].fmeasure
        rounds += 1
    rate = size * rounds / 1e6 / (time.perf_counter() - begun)
    print(json.dumps({"scorer_megabytes_a_second": rate, "sum_of_scores_a_round": total / rounds}))


main()
