#!/usr/bin/env bash
# pack-bench.sh TENSORRT: what bench/gpu/run.sh needs besides `npm run gpu:pack`, into .gpu/bench (2 MB): the headers of 10.6 from a clone of NVIDIA's
# TensorRT repository, and Python's bindings of that release.
set -euo pipefail
git=$(readlink -f "${1:?usage: pack-bench.sh TENSORRT}")
cd "$(dirname "$0")/../.."
rm -rf .gpu/bench
mkdir -p .gpu/bench
git -C "$git" archive c468d677 include | tar -C .gpu/bench -xf -
python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 --implementation cp --platform manylinux_2_17_x86_64 \
  -d .gpu/bench tensorrt_cu12_bindings==10.6.0
du -sh .gpu/bench
