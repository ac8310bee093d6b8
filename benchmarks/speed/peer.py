"""Measures llama.cpp once, in a process of its own: `peer.py MODEL THREADS` prints one JSON object."""

import ctypes
import json
import sys
import time
from pathlib import Path

import llama_cpp
import numpy

import workload


class Peer:
    """A loaded model, driven through llama.cpp's own functions: what Python adds to a step is
    microseconds."""

    def __init__(self, model: str, threads: int) -> None:
        self.llama = llama_cpp.Llama(
            model_path=model,
            n_ctx=workload.CONTEXT,
            n_batch=max(workload.PREFILL),
            n_ubatch=max(workload.PREFILL),
            n_threads=threads,
            n_threads_batch=threads,
            verbose=False,
        )
        self.context = self.llama.ctx
        self.vocabulary = self.llama.n_vocab()

    def clear(self) -> None:
        """Empties the cache."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)

    def step(self, tokens: list[int]) -> int:
        """Evaluates `tokens` after what the cache holds; the most likely next token."""
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        batch = llama_cpp.llama_batch_get_one(array, len(tokens))
        if llama_cpp.llama_decode(self.context, batch) != 0:
            sys.exit("llama.cpp failed to evaluate")
        logits = llama_cpp.llama_get_logits_ith(self.context, -1)
        address = ctypes.cast(logits, ctypes.POINTER(ctypes.c_float))
        return int(numpy.ctypeslib.as_array(address, shape=(self.vocabulary,)).argmax())


def peak_memory() -> int:
    """The largest resident size of this process until now, in bytes. `getrusage` would count the
    parent's memory too, which this process shared for a moment."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    model, threads = sys.argv[1], int(sys.argv[2])
    baseline = peak_memory()

    start = time.perf_counter()
    peer = Peer(model, threads)
    # The file is mapped, so the weights are read only now.
    peer.step([1])
    load = time.perf_counter() - start

    prefill = []
    for length in workload.PREFILL:
        tokens = workload.tokens(length, peer.vocabulary)
        for _ in range(2):  # The first is a warm-up.
            peer.clear()
            start = time.perf_counter()
            token = peer.step(tokens)
            seconds = time.perf_counter() - start
        prefill.append({"tokens": length, "tokens_per_second": length / seconds})

    peer.clear()
    token = peer.step(workload.tokens(workload.PREFILL[0], peer.vocabulary))
    start = time.perf_counter()
    for _ in range(workload.DECODE):
        token = peer.step([token])
    seconds = time.perf_counter() - start

    result = {
        "load_seconds": load,
        "prefill": prefill,
        "decode_tokens_per_second": workload.DECODE / seconds,
        "baseline_bytes": baseline,
        "version": f"llama-cpp-python {llama_cpp.__version__}",
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
