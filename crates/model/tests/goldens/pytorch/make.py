"""Makes one tiny model as files of `torch.save`, and the same numbers as safetensors.

    pip install torch==2.15.0 safetensors==0.8.0 numpy && python3 make.py

- `sharded`: as large checkpoints come. Its tensors are BF16, F16 and F32 and views of every kind: parts of one storage,
  transposed, with gaps; beside them lie tensors that no model needs, of other types.
- `single`: the state dict of a module, with its parameters kept and its metadata, all F32.
- `safetensors`: the tensors of `sharded`, each on its own.
- `legacy.bin`: a tensor in the format before PyTorch 1.6.
- `module.bin`: a whole module, which is to be refused.
"""

import json
import pathlib

import safetensors.torch
import torch

HIDDEN, KEY_VALUE, INNER, VOCABULARY = 16, 8, 24, 32

CONFIG = {
    "model_type": "qwen2",
    "hidden_size": HIDDEN,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "intermediate_size": INNER,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
}

torch.manual_seed(1)
here = pathlib.Path(__file__).parent


def random(*shape, dtype=torch.float32):
    return torch.randn(shape).to(dtype)


def folder(name):
    path = here / name
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps(CONFIG, indent=1) + "\n")
    return path


vocabulary = random(2 * VOCABULARY, HIDDEN, dtype=torch.bfloat16)
attention = random(HIDDEN + 2 * KEY_VALUE, HIDDEN, dtype=torch.float16)
biases = random(HIDDEN + 2 * KEY_VALUE)
layer = "model.layers.0"
shards = [
    {
        "model.embed_tokens.weight": vocabulary[:VOCABULARY],
        "lm_head.weight": vocabulary[VOCABULARY:],
        f"{layer}.self_attn.q_proj.weight": attention[:HIDDEN],
        f"{layer}.self_attn.k_proj.weight": attention[HIDDEN : HIDDEN + KEY_VALUE],
        f"{layer}.self_attn.v_proj.weight": attention[HIDDEN + KEY_VALUE :],
        f"{layer}.self_attn.q_proj.bias": biases[:HIDDEN],
        f"{layer}.self_attn.k_proj.bias": biases[HIDDEN : HIDDEN + KEY_VALUE],
        f"{layer}.self_attn.v_proj.bias": biases[HIDDEN + KEY_VALUE :],
    },
    {
        "model.norm.weight": torch.nn.Parameter(random(HIDDEN)),
        f"{layer}.input_layernorm.weight": random(HIDDEN),
        f"{layer}.post_attention_layernorm.weight": random(2 * HIDDEN)[::2],
        f"{layer}.self_attn.o_proj.weight": random(HIDDEN, HIDDEN, dtype=torch.bfloat16).t(),
        f"{layer}.mlp.gate_proj.weight": random(HIDDEN, INNER, dtype=torch.float16).t(),
        f"{layer}.mlp.up_proj.weight": random(INNER, 2 * HIDDEN)[:, ::2],
        f"{layer}.mlp.down_proj.weight": random(HIDDEN, INNER),
        f"{layer}.attn.masked_bias": torch.tensor(-1e4),
        f"{layer}.attn.bias": torch.ones(1, 1, 4, 4, dtype=torch.bool),
        "position_ids": torch.arange(3),
        "scales": torch.ones(3).to(torch.float8_e4m3fn),
        "nothing": torch.empty(0, 3),
    },
]
sharded, weight_map = folder("sharded"), {}
for number, shard in enumerate(shards, 1):
    name = f"pytorch_model-{number:05}-of-{len(shards):05}.bin"
    torch.save(shard, sharded / name)
    weight_map |= dict.fromkeys(shard, name)
index = {"metadata": {}, "weight_map": weight_map}
(sharded / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=1) + "\n")

is_weight = lambda name: name.endswith(".weight") or "_proj." in name
weights = {name: tensor.detach() for shard in shards for name, tensor in shard.items() if is_weight(name)}
own = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in weights.items()}
safetensors.torch.save_file(own, folder("safetensors") / "model.safetensors")

module = torch.nn.Module()
for name, tensor in weights.items():
    *path, last = name.split(".")
    parent = module
    for part in path:
        if not hasattr(parent, part):
            parent.add_module(part, torch.nn.Module())
        parent = getattr(parent, part)
    parent.register_parameter(last, torch.nn.Parameter(tensor.float().contiguous()))
torch.save(module.state_dict(keep_vars=True), folder("single") / "pytorch_model.bin")

torch.save({"weight": torch.ones(2)}, here / "legacy.bin", _use_new_zipfile_serialization=False)
torch.save(torch.nn.Linear(2, 1), here / "module.bin")
