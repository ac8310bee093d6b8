#!/bin/sh
# Asks a model behind the server of llama-cpp-python, which is not ours: first through the library, then by
# the command line.
#
#   benchmarks/compat/llama_cpp_server.sh [FILE.gguf]
#
# Without a file it takes the base of SPEC `tiny`. The first run builds llama.cpp, which takes minutes, so this
# is nothing for CI. QIANSHOU names a program that is built already; COMPAT_PYTHON a Python that has what
# `requirements.txt` lists.
set -eu

cd "$(dirname "$0")/../.."
folder="${CARGO_TARGET_DIR:-target}/compat"
mkdir -p "$folder"

program="${QIANSHOU:-}"
if [ -z "$program" ]; then
    cargo build --release
    program="${CARGO_TARGET_DIR:-target}/release/qianshou"
fi
model="${1:-$("$program" setup --only model)}"

python="${COMPAT_PYTHON:-}"
if [ -z "$python" ]; then
    python="$folder/venv/bin/python"
    [ -x "$python" ] || python3 -m venv "$folder/venv"
    "$python" -m pip install --quiet --requirement benchmarks/compat/requirements.txt
fi

port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
log="$folder/server.log"
# The one format of this server that knows native calls.
"$python" -m llama_cpp.server --model "$model" --model_alias tiny --n_ctx 4096 \
    --chat_format chatml-function-calling --host 127.0.0.1 --port "$port" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
trap 'exit 1' INT TERM
seconds=0
until "$python" -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/v1/models')" 2>/dev/null; do
    seconds=$((seconds + 1))
    if [ "$seconds" -gt 120 ] || ! kill -0 "$server" 2>/dev/null; then
        echo "the server did not start; see $log" >&2
        exit 1
    fi
    sleep 1
done
spec="tiny@http://127.0.0.1:$port#llama-cpp-python"

echo "== library" >&2
# One at a time: the server breaks off a reply when another request comes.
QIANSHOU_REMOTE="$spec" cargo test -p qianshou-remote --test live -- --test-threads=1

# An answer is an answer, right or wrong: the model is small, and was not trained for this prompt.
echo "== ask" >&2
answer=$("$program" ask --model "remote:$spec" "What is the capital of France?")
echo "$answer"
[ -n "$answer" ]

echo "== an endpoint where nothing is" >&2
kill "$server"
wait "$server" 2>/dev/null || true
if "$program" ask --model "remote:$spec" "What is the capital of France?"; then
    echo "it should have failed" >&2
    exit 1
fi
echo "== all is well" >&2
