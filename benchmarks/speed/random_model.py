"""Writes a GGUF of random F32 weights in the shape of a 0.6 B Qwen: `random_model.py TARGET`.

The small model of SPEC `tiny` says little about the head of a Qwen, which is a quarter of a model of this size.
Speed does not depend on what the weights are, so random ones will do.
"""

import sys
from pathlib import Path

import gguf
import numpy

HIDDEN, LAYERS, HEADS, FEED_FORWARD, VOCABULARY, CONTEXT = 1024, 24, 16, 2816, 151_936, 8192


def write(target: Path) -> None:
    """Writes the model; it appears under its name only when it is whole."""
    random = numpy.random.default_rng(1)
    unfinished = target.with_suffix(".unfinished")
    target.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(unfinished, "qwen2")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("no_vocab")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)

    def matrix(name: str, rows: int, columns: int) -> None:
        values = random.standard_normal((rows, columns), dtype=numpy.float32)
        writer.add_tensor(f"{name}.weight", values * numpy.float32(0.02))

    def vector(name: str, value: float, length: int) -> None:
        writer.add_tensor(name, numpy.full(length, value, dtype=numpy.float32))

    matrix("token_embd", VOCABULARY, HIDDEN)
    matrix("output", VOCABULARY, HIDDEN)
    vector("output_norm.weight", 1, HIDDEN)
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        vector(f"{block}.attn_norm.weight", 1, HIDDEN)
        vector(f"{block}.ffn_norm.weight", 1, HIDDEN)
        for part in ("attn_q", "attn_k", "attn_v"):
            matrix(f"{block}.{part}", HIDDEN, HIDDEN)
            vector(f"{block}.{part}.bias", 0, HIDDEN)
        matrix(f"{block}.attn_output", HIDDEN, HIDDEN)
        matrix(f"{block}.ffn_gate", FEED_FORWARD, HIDDEN)
        matrix(f"{block}.ffn_up", FEED_FORWARD, HIDDEN)
        matrix(f"{block}.ffn_down", HIDDEN, FEED_FORWARD)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    unfinished.rename(target)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
