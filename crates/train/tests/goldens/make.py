"""Makes the goldens of one training step with torch and transformers.

For each small checkpoint among the goldens of `crates/model`: loss and gradients of one packed sequence (a dense
mask, positions that go on from the shared tokens), with LoRA and in full, and what one step of AdamW on the clipped
gradients of the mean loss makes of the LoRA parameters.

    python make.py ../../../model/tests/goldens .
"""

import math
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

SHARED, LENGTHS, RANK, ALPHA = 13, (9, 14, 6), 2, 4.0
RATE, CLIP = 1e-2, 1.0
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def sequence(vocabulary, generator):
    """Ids, positions, mask, and the rows under loss: all of an episode but its first two tokens are learned."""
    total = SHARED + sum(LENGTHS)
    ids = torch.randint(0, vocabulary, (total,), generator=generator)
    positions = list(range(SHARED))
    owner = [-1] * SHARED
    rows = []
    for number, length in enumerate(LENGTHS):
        start = len(positions)
        positions += range(SHARED, SHARED + length)
        owner += [number] * length
        rows += range(start + 1, start + length - 1)
    sees = [[j <= i and owner[j] in (-1, owner[i]) for j in range(total)] for i in range(total)]
    mask = torch.where(torch.tensor(sees), 0.0, -math.inf)[None, None]
    return ids, torch.tensor(positions), mask, torch.tensor(rows)


def loss_of(model, ids, positions, mask, rows):
    logits = model(input_ids=ids[None], position_ids=positions[None], attention_mask=mask).logits[0]
    return torch.nn.functional.cross_entropy(logits[rows], ids[rows + 1], reduction="sum")


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)


def with_lora(model, generator):
    model.requires_grad_(False)
    factors = {}
    for name, module in model.named_modules():
        if name.rsplit(".", 1)[-1] not in PROJECTIONS:
            continue
        rows, columns = module.weight.shape
        a = (torch.rand(RANK, columns, generator=generator) - 0.5).requires_grad_()
        b = (0.2 * (torch.rand(rows, RANK, generator=generator) - 0.5)).requires_grad_()
        factors[f"{name}.lora_A"], factors[f"{name}.lora_B"] = a, b
        module.register_forward_hook(
            lambda _, inputs, output, a=a, b=b: output + ALPHA / RANK * (inputs[0] @ a.T) @ b.T
        )
    return factors


def main(goldens, out):
    for name in ("qwen2-gqa-tied", "qwen3-qknorm", "codellama-gqa"):
        generator = torch.Generator().manual_seed(7)
        model = load(goldens / name)
        ids, positions, mask, rows = sequence(model.config.vocab_size, generator)
        loss = loss_of(model, ids, positions, mask, rows)
        loss.backward()
        kept = ("model.norm.", "model.layers.1.", "lm_head.")
        full = {f"full.{key}": value.grad for key, value in model.named_parameters() if key.startswith(kept)}
        # Of the embedding, the rows that were read and some that were not.
        full["full.model.embed_tokens.weight"] = model.get_input_embeddings().weight.grad[:64]

        model = load(goldens / name)
        factors = with_lora(model, generator)
        before = {f"value.{key}": value.detach().clone() for key, value in factors.items()}
        lora_loss = loss_of(model, ids, positions, mask, rows)
        lora_loss.backward()
        gradients = {f"gradient.{key}": value.grad.clone() for key, value in factors.items()}
        for value in factors.values():
            value.grad /= len(rows)
        norm = torch.nn.utils.clip_grad_norm_(factors.values(), CLIP)
        torch.optim.AdamW(factors.values(), lr=RATE, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1).step()
        after = {f"after.{key}": value.detach() for key, value in factors.items()}
        losses = torch.stack([loss, lora_loss, norm]).detach()
        tensors = {"ids": ids, "losses_and_norm": losses, **full, **before, **gradients, **after}
        save_file({key: value.contiguous() for key, value in tensors.items()}, out / f"{name}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
