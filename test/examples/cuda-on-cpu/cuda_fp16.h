#include "cuda-on-cpu.h"
