"""Makes the goldens of the adapter: prompts by a template of its own, token ids and greedy texts by transformers and peft.

    pip install torch transformers peft gguf accelerate
    python crates/qianshou/adapter/make_cases.py --base BASE.gguf --cases crates/qianshou/tests/data/adapter-cases.jsonl

Tools and questions of the file stay as they are, what is expected is written anew. The base is dequantised by transformers,
and everything is computed in F32.
"""

import argparse
import json
import pathlib

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

TOKENS = 200
STOP = "Observation:"
END_OF_TURN = "<|im_end|>"


def tool_line(tool):
    name = tool.get("name_for_human", tool["name"])
    form = {
        "json": " Format the arguments as a JSON object.",
        "code": " Enclose the code within triple backticks (`) at the beginning and end of the code.",
    }[tool.get("args_format", "json")]
    parameters = json.dumps(tool["parameters"], ensure_ascii=False)
    return (
        f"{tool['name']}: Call this tool to interact with the {name} API. What is the {name} API useful for? "
        f"{tool['description']} Parameters: {parameters}{form}"
    )


def prompt(tools, question):
    names = ", ".join(tool["name"] for tool in tools)
    lines = [
        "Answer the following questions as best you can. You have access to the following APIs:",
        "",
        *(text for tool in tools for text in (tool_line(tool), "")),
        "Use the following format:",
        "",
        "Question: the input question you must answer",
        "Thought: you should always think about what to do",
        f"Action: the action to take, should be one of [{names}]",
        "Action Input: the input to the action",
        "Observation: the result of the action",
        "... (this Thought/Action/Action Input/Observation can be repeated zero or more times)",
        "Thought: I now know the final answer",
        "Final Answer: the final answer to the original input question",
        "",
        "Begin!",
        "",
        f"Question: {question}",
    ]
    turns = [("system", "You are a helpful assistant."), ("user", "\n".join(lines))]
    return "".join(f"<|im_start|>{role}\n{text}{END_OF_TURN}\n" for role, text in turns) + "<|im_start|>assistant\n"


def load(base, adapter):
    path = pathlib.Path(base)
    place = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    model = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32)
    model = PeftModel.from_pretrained(model, adapter, torch_dtype=torch.float32).eval()
    return AutoTokenizer.from_pretrained(**place), model


@torch.no_grad()
def greedy(tokenizer, model, ids):
    """The text, and the smallest gap of the two best logits on the way."""
    end = tokenizer.convert_tokens_to_ids(END_OF_TURN)
    said, gap, cache, step = [], float("inf"), None, torch.tensor([ids])
    while len(said) < TOKENS:
        out = model(step, past_key_values=cache, use_cache=True)
        cache = out.past_key_values
        best = out.logits[0, -1].topk(2)
        gap = min(gap, (best.values[0] - best.values[1]).item())
        if best.indices[0] == end:
            break
        said.append(best.indices[0].item())
        text = tokenizer.decode(said)
        if STOP in text:
            return text[: text.index(STOP)], gap
        step = best.indices[:1].unsqueeze(0)
    return tokenizer.decode(said), gap


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True)
    parser.add_argument("--adapter", default=str(pathlib.Path(__file__).parent))
    parser.add_argument("--cases", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    tokenizer, model = load(arguments.base, arguments.adapter)
    lines = []
    for line in arguments.cases.read_text().splitlines():
        case = json.loads(line)
        text = prompt(case["tools"], case["question"])
        ids = tokenizer(text, add_special_tokens=False).input_ids
        said, gap = greedy(tokenizer, model, ids)
        expected = {"prompt": text, "prompt_ids": ids, "greedy": said, "smallest_gap": round(gap, 4)}
        lines.append(json.dumps({"tools": case["tools"], "question": case["question"], **expected}, ensure_ascii=False))
        print(f"{gap:.4f} {case['question']} → {said!r}")
    arguments.cases.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
