# Sourced by run.sh here and in bench/gpu, in the root of the tree: unpacks what `npm run gpu:pack` packed, and finds node and TensorRT.
export NODE_TENSORRT_LIB=${NODE_TENSORRT_LIB:-$HOME/lib}
export PATH=$NODE_TENSORRT_LIB:$PATH LD_LIBRARY_PATH=$NODE_TENSORRT_LIB${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# A checkout that has its own packages was set up in the usual way.
if [ ! -e .git ] || [ ! -e node_modules ]; then
  rm -rf node_modules dist build
  xz -dc .gpu/run/run.tar.xz | tar -xf -
fi
