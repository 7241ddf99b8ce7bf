#!/usr/bin/env bash
# run.sh [BINDINGS.whl]: engines with plugins, made by Node, run by Python's TensorRT. On a machine with a GPU, PyTorch, and node and TensorRT 10.6 in ~/lib or
# NODE_TENSORRT_LIB; the wheel is tensorrt_cu12_bindings of the same release, where Python has none. Run scripts/gpu/run.sh first: it unpacks
# what node needs.
set -euo pipefail
cd "$(dirname "$0")/../../.."
lib=${NODE_TENSORRT_LIB:-$HOME/lib}
export PATH=$lib:$PATH LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ $# -gt 0 ]; then
  python3 -m zipfile -e "$1" "$work/site"
  export PYTHONPATH=$work/site${PYTHONPATH:+:$PYTHONPATH}
fi
node --import tsx test/gpu/python/make.ts "$work/engines"
python3 test/gpu/python/load_plugin_engine.py "$work/engines"
