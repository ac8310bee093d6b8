"""Writes a GGUF file anew with every tensor in F32, so that both programs hold the same weights:
`convert.py SOURCE TARGET`."""

import sys
from pathlib import Path

import gguf
import numpy

# Written by GGUFWriter itself, or no longer true of the new file.
OWN_KEYS = {gguf.Keys.General.ARCHITECTURE, gguf.Keys.General.FILE_TYPE, gguf.Keys.General.QUANTIZATION_VERSION}


def to_f32(source: Path, target: Path) -> None:
    """Dequantises `source` into `target`, which appears under its name only when it is whole."""
    reader = gguf.GGUFReader(source)
    architecture = reader.get_field(gguf.Keys.General.ARCHITECTURE).contents()
    unfinished = target.with_suffix(".unfinished")
    target.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(unfinished, architecture)
    for field in reader.fields.values():
        if field.name in OWN_KEYS or field.name.startswith("GGUF."):
            continue
        element = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=element)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        writer.add_tensor(tensor.name, numpy.ascontiguousarray(values, dtype=numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    unfinished.rename(target)


if __name__ == "__main__":
    to_f32(Path(sys.argv[1]), Path(sys.argv[2]))
