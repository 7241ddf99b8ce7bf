// All that TensorRT's headers take from CUDA's, so that the plugin compiles where no CUDA toolkit is.
#pragma once
typedef struct CUstream_st* cudaStream_t;
typedef struct CUevent_st* cudaEvent_t;
