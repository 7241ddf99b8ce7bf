#!/usr/bin/env bash
# build.sh INCLUDE OUT: compiles the plugin by hand against NVIDIA's headers of TensorRT 10.6 (`git -C TensorRT archive v10.6.0 include`), which
# this repository does not hold. The library runs where no header is.
set -euo pipefail
include=${1:?usage: build.sh INCLUDE OUT}
out=${2:?usage: build.sh INCLUDE OUT}
here=$(dirname "$(readlink -f "$0")")
g++ -std=c++17 -O2 -fPIC -shared -fvisibility=hidden -Wall -Wno-deprecated-declarations -static-libstdc++ -static-libgcc -Wl,--exclude-libs,ALL \
  -I "$here/include" -I "$include" -o "$out" "$here/rms_norm.cc" -ldl
