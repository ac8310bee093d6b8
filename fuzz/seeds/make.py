"""Makes the seeds: for each target, small files that are whole.

    pip install torch==2.15.0 safetensors==0.8.0 gguf==0.19.0 numpy && python3 make.py
"""

import base64
import json
import pathlib
import struct
import zipfile

import gguf
import safetensors.torch
import torch

here = pathlib.Path(__file__).parent


def seed(target, name, data):
    folder = here / target
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder / name


# The model of `../config.json`, all weights in one storage.
SIZE, KEY_VALUE, LAYER = 4, 2, "model.layers.0"
SHAPES = {
    "model.embed_tokens.weight": (SIZE, SIZE),
    "model.norm.weight": (SIZE,),
    "lm_head.weight": (SIZE, SIZE),
    f"{LAYER}.input_layernorm.weight": (SIZE,),
    f"{LAYER}.post_attention_layernorm.weight": (SIZE,),
    f"{LAYER}.self_attn.q_proj.weight": (SIZE, SIZE),
    f"{LAYER}.self_attn.k_proj.weight": (KEY_VALUE, SIZE),
    f"{LAYER}.self_attn.v_proj.weight": (KEY_VALUE, SIZE),
    f"{LAYER}.self_attn.q_proj.bias": (SIZE,),
    f"{LAYER}.self_attn.k_proj.bias": (KEY_VALUE,),
    f"{LAYER}.self_attn.v_proj.bias": (KEY_VALUE,),
    f"{LAYER}.self_attn.o_proj.weight": (SIZE, SIZE),
    f"{LAYER}.mlp.gate_proj.weight": (SIZE, SIZE),
    f"{LAYER}.mlp.up_proj.weight": (SIZE, SIZE),
    f"{LAYER}.mlp.down_proj.weight": (SIZE, SIZE),
}
torch.manual_seed(1)
storage = torch.randn(SIZE * SIZE).bfloat16()
weights = {name: storage[: torch.Size(shape).numel()].reshape(shape) for name, shape in SHAPES.items()}
weights["lm_head.weight"] = weights["lm_head.weight"].t()
weights["model.norm.weight"] = torch.nn.Parameter(storage[::4])
torch.save(weights, seed("pytorch", "views", ""))
torch.save({"a": torch.ones(2), "b": torch.ones(2).to(torch.float8_e4m3fn)}, seed("pytorch", "types", ""))
with zipfile.ZipFile(seed("pytorch", "system", ""), "w") as archive:
    archive.writestr("archive/data.pkl", b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.")
own = {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in weights.items()}
seed("safetensors", "whole", safetensors.torch.save(own))


# Byte-level vocabularies: printable bytes are themselves, the others follow U+0100.
printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
others = [byte for byte in range(256) if byte not in printable]
spelling = {byte: chr(byte) if byte in printable else chr(0x100 + others.index(byte)) for byte in range(256)}
tokens = [bytes([byte]) for byte in range(256)] + [b"Hi", b" th", b"ere", b" there", "千".encode()]
lines = [f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(tokens)]
seed("tiktoken", "whole", "".join(lines))
seed("tiktoken", "short", "".join(lines[:3]))

SPLIT = r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|\s+(?!\S)|\s+"
byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False}
seed("tokenizer_json", "byte_level", json.dumps({
    "added_tokens": [{"id": 3, "content": "<|im_start|>", "special": True}],
    "normalizer": {"type": "NFC"},
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
    "model": {"type": "BPE", "vocab": {"H": 0, "i": 1, "Hi": 2}, "merges": ["H i"]},
}))
steps = [
    {"type": "Prepend", "prepend": "▁"},
    {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
]
pieces = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "H", "▁H", "i"]
seed("tokenizer_json", "sentencepiece", json.dumps({
    "added_tokens": [{"id": 0, "content": "<unk>", "special": True}, {"id": 1, "content": "<s>", "special": True}],
    "normalizer": {"type": "Sequence", "normalizers": steps},
    "model": {
        "type": "BPE",
        "byte_fallback": True,
        "vocab": {piece: rank for rank, piece in enumerate(pieces)},
        "merges": [["▁", "H"]],
    },
}, ensure_ascii=False))

writer = gguf.GGUFWriter(seed("gguf", "whole", ""), "qwen2")
writer.add_context_length(16)
writer.add_tokenizer_model("gpt2")
writer.add_tokenizer_pre("qwen2")
writer.add_token_list([spelling[token[0]] for token in tokens[:256]] + ["Hi", "<|im_start|>"])
writer.add_token_types([1] * 257 + [3])
writer.add_token_merges(["H i"])
writer.add_tensor("output_norm.weight", own["model.norm.weight"].float().numpy())
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

# A NUL is where the reply is cut.
seed("react", "call", "Thought: I need\0 it.\nAct\0ion: weather\nAction Input:\0 {\"city\": \"Oslo\"}\nObser\0vation: 5\n")
seed("react", "answer", "Thought: I now know.\nFinal\0 Answer: It rains.\0\nAction: stay\nin\n")
seed("react", "code", "Action: py\nAction Input: ```py\n# \nThought: x\0\nFinal Answer: y\n``\0`\nThought:\n")
seed("react", "several", "Thought：我需要\0查询\nAction: a\nAction: b\nAction Input: {}\nFinal Answer: 好\n")


def frames(*messages):
    """Frames of the interpreter's protocol: little-endian length, a kind, JSON or bytes."""
    encoded = [(1, message) if isinstance(message, bytes) else (0, json.dumps(message).encode()) for message in messages]
    return b"".join(struct.pack("<IB", len(payload), kind) + payload for kind, payload in encoded)


completion = {
    "status": "ok", "state": "kept", "stdout": {"text": "out\n", "bytes": 4}, "stderr": {"text": "", "bytes": 0},
    "value": {"text/plain": "2", "image/png": "iVBORw0KGgo="}, "error": None, "notes": [], "files": [],
    "microseconds": 1, "peak_memory_bytes": 1,
}
error = {"name": "E", "message": "m", "traceback": "t", "hint": None}
failed = {**completion, "status": {"crashed": 9}, "state": "restored", "value": None, "error": error, "notes": ["n"]}
failed["files"] = [{"path": "a/b", "bytes": 1}]
seed("interpreter", "cell", frames(
    {"hello": {"version": 1}}, {"display": {"data": {"text/html": "<b>"}}}, {"done": {"id": 1, "completion": completion}},
))
seed("interpreter", "failures", frames(
    {"done": {"id": 2, "completion": failed}}, {"refused": {"id": 3, "message": "no"}}, {"failed": {"message": "gone"}},
))
verdicts = [{"attempt": "files: read", "stopped": True, "how": "refused"}]
seed("interpreter", "files", frames({"tested": {"id": 1, "verdicts": verdicts}}, {"stored": {"id": 2}}, {"content": {"id": 3, "bytes": 2}}, b"ab"))


def lines(*objects):
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in objects)


# A log: its header, then what samples hold, one of a single reply and one of a run.
capabilities = {"continue_last": True, "constraints": False, "native_tools": False, "images": False}
model = {"name": "m", "context_window": 8192, "capabilities": capabilities}
measures = [{"name": name, "title": name, "less_is_better": less} for name, less in [("a", False), ("b", True)]]
header = {
    "task": "tool-selection", "task_version": 1, "data": [{"name": "d.jsonl", "sha256": "0" * 64}], "samples": 2,
    "model": model, "provenance": {"model": "m"}, "prompts": "0" * 64, "solver": {"format": "react"}, "scorer": {},
    "measures": measures, "environment": {"began": "0"},
}
usage = {"cached": 1, "computed": 5, "generated": 2}
sampling = {"temperature": 0.0, "top_p": None, "top_k": None, "repetition_penalty": 1.0, "seed": None}
request = {
    "messages": [{"role": "user", "content": [{"text": "天气？"}]}], "continue_last": False, "stop": ["Observation:"],
    "sampling": sampling, "max_tokens": 8, "constraint": None, "tools": [],
}
events = [{"delta": {"text": "Final Answer: 晴", "ids": [1, 2]}}, {"end": {"finish": "end_of_turn", "usage": usage}}]
exchange = {"model": model, "request": request, "events": events, "error": None}
image = {"image": {"media_type": "image/png", "bytes": "iVBORw0KGgo="}}
observation = {"kind": "output", "text": "ok", "diagnostics": None, "artifacts": [image, {"json": {"cell": {}}}]}
call = {
    "id": "call-1", "name": "t", "input": "{}", "arguments": {}, "stage": "strict", "needs_approval": False,
    "decision": None, "observation": observation,
}
step = {
    "thought": "I look.", "answer": None, "calls": [call], "no_action": None, "warnings": [], "usage": usage,
    "finish": "end_of_turn",
}
records = [
    {"exchange": exchange}, {"step": {"number": 1, "outcome": step}},
    {"end": {"stop_reason": "answered", "answer": "晴", "usage": usage, "repairs": 0}},
]
tool = {
    "name": "t", "name_for_people": "T", "description": "", "parameters": {}, "schema": {"type": "object"},
    "arguments_format": "json",
}


def sample(index, scores, solution):
    return {
        "id": f"s{index}", "epoch": 1, "index": index, "category": "c", "question": "天气？", "expected": "a call",
        "verdict": {"scores": scores, "labels": {"judge": "right"}, "why": ["w"]}, "stop": "answered", "faults": 0,
        "at": 0, "milliseconds": 1, "solution": solution,
    }


limits = {
    "steps": 8, "repairs": 3, "repeated_actions": 3, "lost_replies": 2, "wall_clock": None, "tokens": None,
    "cost": None, "reply_tokens": 8, "reserved_tokens": None, "observation_characters": 8000,
}
run_header = {"model": model, "protocol": "react", "tools": [tool], "limits": limits}
run = {"at": 0, "header": {**run_header, "conversation": request["messages"]}}
run["records"] = [{"at": 1, "record": record} for record in records]
seed("bench_log", "whole", lines(
    {"record": "bench", "version": 1, "bench": header},
    sample(0, {"a": 1.0, "b": 0.5}, {"reply": exchange}), sample(1, {"a": 0.0}, {"run": run}),
))

# Data of the tasks, a format each.
react = "You have access to the following APIs:\n\nweather: Call this tool to interact with the W API. What is the W API useful for? d Parameters: [{\"name\": \"city\", \"required\": true, \"schema\": {\"type\": \"string\"}}] Format the arguments as a JSON object.\n\nUse the following format:\n\nBegin!\n\nQuestion: 天气？"
reply = "Thought: x\nAction: weather\nAction Input: {\"city\": \"Oslo\"}\nObservation: 5\nThought: y\nFinal Answer: 5"
opened = "plot<|im_end|>\n<|im_start|>assistant\nAction: code_interpreter\nAction Input: ```py\nx\n```\nObservation: 1\nThought:"
figure = {"kind": "bar", "axes": 1, "series": 1, "title": "t", "labels": ["a"], "data": [[1.0, 2.0]]}
seed("bench_data", "tools", lines(
    {"id": "a", "lang": "en", "query": "?", "tools": ["weather"], "calls": [{"name": "weather", "arguments": {"city": "Oslo"}, "accepted": {"city": ["oslo", None]}}]},
    {"id": "b", "lang": "zh", "query": "？", "tools": ["weather"], "calls": [], "why": "no-need"},
))
seed("bench_data", "plugin_exam", lines({"prompt": react, "response": reply}, {"prompt": react, "response": "Final Answer: 5"}))
seed("bench_data", "code", lines(
    {"id": "a", "lang": "en", "category": "math", "query": "?", "files": [], "answer": {"number": 1, "tolerance": 0}, "figure": None, "solution": ""},
    {"id": "b", "lang": "zh", "category": "visualization-hard", "query": "？", "files": [], "answer": {"text": ["a"]}, "figure": figure, "solution": ""},
))
seed("bench_data", "code_exam", lines(
    {"query": "?", "tags": "general, all_ci"}, {"query": opened, "tags": "visualization", "lang": "zh", "input_file_path": []},
))
seed("bench_data", "gsm8k", lines({"question": "1 + 1?", "answer": "It is\n#### 2"}))
seed("bench_data", "bfcl", lines(
    {"id": "a", "question": [[{"role": "user", "content": "?"}]], "function": [{"name": "f.g", "description": "", "parameters": {"type": "dict", "properties": {"x": {"type": "integer"}}, "required": ["x"]}}]},
))
