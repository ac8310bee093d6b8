"""Makes blocks.json: random blocks of quantised GGUF types, and the numbers that they stand for by the `gguf` package.

    pip install gguf==0.19.0 && python3 make.py > blocks.json
"""

import json

import gguf
import numpy

WEIGHTS = 512
# Where the F16 scales of a block are; all other bytes are random.
SCALES = {"Q5_0": [0], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}

random = numpy.random.default_rng(1)
blocks = {}
for name, offsets in SCALES.items():
    kind = gguf.GGMLQuantizationType[name]
    weights, size = gguf.GGML_QUANT_SIZES[kind]
    data = random.integers(0, 256, (WEIGHTS // weights, size), dtype=numpy.uint8)
    for offset in offsets:
        # Small enough that a model of such weights stays in range.
        scales = random.uniform(0.00002, 0.0002, len(data)).astype(numpy.float16)
        data[:, offset : offset + 2] = scales.view(numpy.uint8).reshape(-1, 2)
    values = gguf.quants.dequantize(data.reshape(-1), kind)
    blocks[name] = {"bytes": data.tobytes().hex(), "values": [float(value) for value in values]}
print(json.dumps(blocks))
