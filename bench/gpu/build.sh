#!/usr/bin/env bash
# build.sh INCLUDE LIB OUT: compiles the C++ drivers into the folder OUT, against NVIDIA's headers of TensorRT 10.6 (`git -C TensorRT archive
# v10.6.0 include`), which this repository does not hold, and CUDA's toolkit in CUDA_HOME. LIB has libnvinfer.so.10.
set -euo pipefail
include=${1:?usage: build.sh INCLUDE LIB OUT}
lib=${2:?usage: build.sh INCLUDE LIB OUT}
out=${3:?usage: build.sh INCLUDE LIB OUT}
cuda=${CUDA_HOME:-/usr/local/cuda}
here=$(dirname "$(readlink -f "$0")")
cudart=$(find -L "$cuda" -name libcudart.so -print -quit)
mkdir -p "$out"
for name in drive gpt2; do
  g++ -std=c++17 -O2 -Wall -Wno-deprecated-declarations -I "$include" -I "$cuda/include" -o "$out/$name" "$here/$name.cc" \
    -L "$lib" -l:libnvinfer.so.10 -L "$(dirname "$cudart")" -lcudart -ldl -lpthread \
    -Wl,-rpath,"$lib" -Wl,-rpath,"$(dirname "$cudart")" -Wl,--allow-shlib-undefined &
done
wait
for name in drive gpt2; do test -x "$out/$name"; done
