#!/usr/bin/env bash
# run.sh [--limit SECONDS] [--processes N] [--rest] [--full] SUITES…: the GPU tier on a machine with a GPU, without network and Node packages.
# SUITES are of `build`, `models` and `plugins` (which needs NVRTC), or `networks LIBRARY…`. Needs a copy of the tree with .gpu/run/run.tar.xz from `npm run gpu:pack`, and
# node and TensorRT in ~/lib or NODE_TENSORRT_LIB. Writes gpu-results.json and log.txt to $OUT, by default .gpu/out.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/gpu/unpack.sh
export OUT=${OUT:-$PWD/.gpu/out}
export NODE_TENSORRT_GPU_COMMAND="scripts/gpu/run.sh $*"
mkdir -p "$OUT"
exec node --import tsx scripts/gpu/run.ts "$@"
