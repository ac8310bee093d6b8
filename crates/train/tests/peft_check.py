"""Compares greedy texts of a base with an adapter: transformers and peft against `qianshou`.

    pip install torch transformers peft gguf
    python crates/train/tests/peft_check.py --base BASE.gguf --adapter ADAPTER --qianshou target/release/qianshou

A GGUF base is read by transformers itself, which computes with the weights that it stands for; so does the engine.
A folder of Hugging Face can be given, too. Both sides go on from the same text, and neither stops at a control token.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

PROMPTS = [
    "What is 37 * 48 + 12?",
    "What is the weather like in Oslo?",
    "Please translate 'good morning' into Italian.",
    "Which day is it today?",
]
TOKENS = 40


def theirs(base, adapter, prompts):
    path = pathlib.Path(base)
    place = {"gguf_file": path.name, "pretrained_model_name_or_path": str(path.parent)}
    place = place if path.is_file() else {"pretrained_model_name_or_path": str(path)}
    tokenizer = AutoTokenizer.from_pretrained(**place)
    model = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32)
    model = PeftModel.from_pretrained(model, adapter, torch_dtype=torch.float32).eval()
    model.generation_config.eos_token_id = None
    for prompt in prompts:
        ids = torch.tensor([tokenizer(prompt, add_special_tokens=False).input_ids])
        with torch.no_grad():
            said = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=TOKENS, do_sample=False, pad_token_id=0
            )
        yield tokenizer.decode(said[0, ids.shape[1] :], skip_special_tokens=False)


def ours(binary, base, adapter, prompt):
    command = [binary, "model", "generate", base, "--prompt", prompt, "--adapter", adapter]
    command += ["--temperature", "0", "--max-tokens", str(TOKENS)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return run.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ["--base", "--adapter", "--qianshou"]:
        parser.add_argument(option, required=True)
    arguments = parser.parse_args()
    differing = 0
    for prompt, expected in zip(PROMPTS, theirs(arguments.base, arguments.adapter, PROMPTS)):
        found = ours(arguments.qianshou, arguments.base, arguments.adapter, prompt)
        same = found.strip() == expected.strip()
        differing += not same
        print("same   " if same else "DIFFERS", repr(prompt), "→", repr(expected))
        if not same:
            print("  ours:", repr(found))
    sys.exit(differing > 0)


if __name__ == "__main__":
    main()
