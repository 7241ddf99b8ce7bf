"""The Python half of weights.ts: the same work with the official libraries. Prints one JSON object; libraries that
are not installed are null. Arguments: a safetensors file, and the number of float32 to convert."""

import json
import os
import sys
import time


def best(run, times=3):
    took = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        took.append(time.perf_counter() - began)
    return min(took) * 1000


def read_all(path):
    from safetensors import safe_open

    def run():
        with safe_open(path, "np") as f:
            for name in f.keys():
                f.get_tensor(name)  # copies the elements out of the mapping

    return best(run)


def convert(count, dtype):
    import torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    values = torch.arange(count, dtype=torch.float32)
    return best(lambda: values.to(getattr(torch, dtype)))


def attempt(work, *args):
    try:
        return work(*args)
    except ImportError as error:
        print(error, file=sys.stderr)
        return None


path, count = sys.argv[1], int(sys.argv[2])
result = {"read": attempt(read_all, path)}
for dtype in ("float16", "bfloat16"):
    result[dtype] = attempt(convert, count, dtype)
try:
    import torch

    result["torch"] = f"{torch.__version__}, {torch.get_num_threads()} threads"
except ImportError:
    result["torch"] = None
print(json.dumps(result))
