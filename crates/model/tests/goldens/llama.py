"""Makes the goldens of the Llama family: python llama.py FOLDER llama2-mha|codellama-gqa

Needs torch, transformers 4.57 and safetensors."""
import json, pathlib, sys, torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

out, name = pathlib.Path(sys.argv[1]), sys.argv[2]
shapes = {
    # As Llama 2 7B: a key head for each query head, a head of its own.
    "llama2-mha": dict(num_attention_heads=4, num_key_value_heads=4, rope_theta=10000.0, rms_norm_eps=1e-5, vocab_size=512),
    # As Code Llama 34B: grouped queries, a rotary base of a million, 16 more entries than Llama 2.
    "codellama-gqa": dict(num_attention_heads=4, num_key_value_heads=2, rope_theta=1e6, rms_norm_eps=1e-5, vocab_size=528),
}
config = LlamaConfig(hidden_size=64, intermediate_size=160, num_hidden_layers=3, max_position_embeddings=512,
                     tie_word_embeddings=False, attention_bias=False, mlp_bias=False, **shapes[name])
lengths = [1, 7, 33, 200]
for seed in range(1000):
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.12)
            else:
                parameter.uniform_(0.5, 1.5)
    expected, gap = {}, 9.0
    for length in lengths:
        ids = torch.randint(0, config.vocab_size, (1, length), generator=torch.Generator().manual_seed(seed * 7 + length))
        with torch.no_grad():
            result = model(ids, use_cache=True)
            cache, logits = result.past_key_values, result.logits
            greedy, rows, last = [], [], logits[0, -1]
            for _ in range(32):
                best = last.topk(2).values
                gap = min(gap, (best[0] - best[1]).item())
                token = int(last.argmax())
                greedy.append(token); rows.append(last.clone())
                result = model(torch.tensor([[token]]), past_key_values=cache, use_cache=True)
                cache, last = result.past_key_values, result.logits[0, -1]
        expected[f"len{length}.input_ids"] = ids[0].contiguous()
        expected[f"len{length}.logits"] = logits[0].contiguous()
        expected[f"len{length}.greedy_ids"] = torch.tensor(greedy)
        expected[f"len{length}.greedy_logits"] = torch.stack(rows)
    if gap >= 1.0e-3:
        break
folder = out / name
folder.mkdir(parents=True, exist_ok=True)
text = {key: value for key, value in config.to_dict().items() if key in (
    "model_type", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
    "max_position_embeddings", "rms_norm_eps", "rope_theta", "tie_word_embeddings", "vocab_size", "hidden_act")}
(folder / "config.json").write_text(json.dumps(text, indent=2, sort_keys=True) + "\n")
state = {key: value.contiguous() for key, value in model.state_dict().items() if "rotary" not in key}
save_file(state, folder / "model.safetensors")
save_file(expected, folder / "expected.safetensors")
print(name, "seed", seed, "gap", gap)
