#!/usr/bin/env bash
# run.sh [--limit SECONDS] [STEP…]: the figures of docs/gpu-results.md, on a machine with a GPU, TensorRT, PyTorch and CUDA's toolkit, without network.
# Needs node and TensorRT in ~/lib or NODE_TENSORRT_LIB, and the official headers in NODE_TENSORRT_BENCH_INCLUDE. BINDINGS names a wheel of
# tensorrt_cu12_bindings where Python has none. Every step is killed at its limit, and all end by --limit (570); a step that
# ended well is not done again. Writes gpu-bench.json and bench-log.txt to $OUT, by default $BENCH_WORK.
set -uo pipefail
self=$(readlink -f "$0")
cd "$(dirname "$self")/../.."
export BENCH_WORK=${BENCH_WORK:-/dev/shm/node-tensorrt-bench} NODE_TENSORRT_CACHE=${BENCH_WORK:-/dev/shm/node-tensorrt-bench} PYTHONUNBUFFERED=1
export OUT=${OUT:-$BENCH_WORK}
mkdir -p "$OUT" "$BENCH_WORK/done" "$BENCH_WORK/site"
node() { command node --import tsx "$@"; }
bench() { node "bench/gpu/$1.ts" "${@:2}"; }
cells='LeNet-float32-1 LeNet-float32-64 LeNet-float16-1 LeNet-float16-64 ResNet-50-float32-1 ResNet-50-float32-64 ResNet-50-float16-1 ResNet-50-float16-64'

compile() { bench/gpu/build.sh "$NODE_TENSORRT_BENCH_INCLUDE" "$NODE_TENSORRT_LIB" "$BENCH_WORK/bin"; }
weights() { python3 "examples/$1/reference.py" --full; }
prepare() {
  local started=() one
  compile & started+=($!)
  weights resnet50 & started+=($!)
  (weights gpt2 && python3 bench/gpu/gpt2_torch.py "$BENCH_WORK" reference) & started+=($!)
  for one in "${started[@]}"; do wait "$one" || return; done
}
# shellcheck disable=SC2086
plans() { bench plans $cells spin; }
spin() { command node --import tsx dist/cli/main.js plugins library bench/gpu/spin.ts -o "$BENCH_WORK/libspin.so"; }
latency() { bench latency; }
throughput() { bench throughput; }
command_line() { bench command; }
cache() {
  [ -e "$BENCH_WORK/models/bert/weights.safetensors" ] || weights bert
  bench cache
}
hold() { bench hold && taskset -c 0,1 node --import tsx bench/gpu/hold.ts; }
refit() { bench refit; }
decoders() { bench plans gpt2-float32-step gpt2-float32-prefill gpt2-float16-step gpt2-float16-prefill; }
decode() {
  [ -z "${BINDINGS-}" ] || python3 -m zipfile -e "$BINDINGS" "$BENCH_WORK/site"
  PYTHONPATH=$BENCH_WORK/site bench decode
}
torch() {
  # What was measured before the compiler failed counts.
  python3 bench/gpu/gpt2_torch.py "$BENCH_WORK" speeds
  local status=$?
  bench torch-rows && return $status
}
runs() { command node --expose-gc --import tsx bench/gpu/soak.ts runs; }
graphs() { command node --expose-gc --import tsx bench/gpu/soak.ts graphs; }
plugins() {
  bench/plugins/build.sh "$NODE_TENSORRT_BENCH_INCLUDE" "$BENCH_WORK/librms.so" &&
    NODE_TENSORRT_BENCH_PLUGIN=$BENCH_WORK/librms.so node bench/plugins.ts
}

# What it takes at most, in seconds.
declare -A seconds=([prepare]=90 [plans]=200 [spin]=30 [latency]=180 [throughput]=90 [command_line]=170 [hold]=40 [cache]=240 [refit]=230 [decoders]=150 [decode]=60 [torch]=120 [runs]=150
  [graphs]=120 [plugins]=90)
order='prepare plans spin latency throughput command_line hold cache refit decoders decode runs graphs plugins torch'

if [ "${1-}" = --inside ]; then
  "$2"
  exit
fi
. scripts/gpu/unpack.sh || exit 2
limit=570
if [ "${1-}" = --limit ]; then
  limit=$2
  shift 2
fi
for step in "$@"; do
  [ -n "${seconds[$step]-}" ] || { echo "run.sh: no step '$step'; there are $order" >&2; exit 2; }
done
failed=0
# shellcheck disable=SC2048
for step in ${*:-$order}; do
  most=${seconds[$step]}
  if [ -e "$BENCH_WORK/done/$step" ]; then echo "$step: done before"; continue; fi
  left=$((limit - SECONDS))
  if [ "$left" -lt 5 ]; then echo "$step: not started within $limit s"; failed=1; continue; fi
  start=$SECONDS
  echo "=== $step" >>"$OUT/bench-log.txt"
  # The limit kills the whole group of processes.
  timeout -s KILL $((most < left ? most : left)) "$self" --inside "$step" >>"$OUT/bench-log.txt" 2>&1 </dev/null
  status=$?
  echo "$step: $([ $status = 0 ] && echo ended || echo "ended with $status") after $((SECONDS - start)) s"
  if [ $status = 0 ]; then touch "$BENCH_WORK/done/$step"; else
    failed=1
    awk -v head="=== $step" '$0 == head { text = "" } { text = text $0 "\n" } END { printf "%s", text }' "$OUT/bench-log.txt" | tail -n 15
  fi
done
exit $failed
