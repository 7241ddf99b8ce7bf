#!/usr/bin/env python3
"""Writes inputs of the example plugins, and what PyTorch and torchvision compute from them.

    python3 examples/plugins/reference.py

Needs PyTorch, torchvision and safetensors. reference.safetensors holds `EXAMPLE/DTYPE/SIZE/in/NAME` and `.../out/NAME`, where SIZE is min,
opt or max of a profile. Inputs have the dtype; results are float32, computed from the rounded inputs, so that a kernel's own rounding is all
that is left between them. What only copies keeps its dtype.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torchvision.ops import roi_align

SIZES = ("min", "opt", "max")
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
tensors = {}


def add(example, dtype, size, inputs, outputs):
    for group, values in (("in", inputs), ("out", outputs)):
        for name, value in values.items():
            tensors[f"{example}/{dtype}/{size}/{group}/{name}"] = value.contiguous()


def hard_swish(name, dtype, size):
    x = (torch.randn({"min": 1, "opt": 8, "max": 64}[size], 37) * 4).to(DTYPES[dtype])
    add(name, dtype, size, {"x": x}, {"y": F.hardswish(x.float())})


def rms_norm(name, dtype, size, width):
    n = SIZES.index(size) + 1
    x, residual = (torch.randn(n, n, width).to(DTYPES[dtype]) for _ in range(2))
    weight = (1 + torch.randn(width) / 4).to(DTYPES[dtype])
    # As a decoder's layers do it: the sum is rounded to its dtype, and normed as it is then.
    total = x + residual
    y = F.rms_norm(total.float(), (width,), weight.float(), 1e-5)
    add(name, dtype, size, {"x": x, "residual": residual, "weight": weight}, {"y": y, "sum": total})


def roi(name, dtype, size, aligned, ratio):
    n = {"min": 1, "opt": 5, "max": 16}[size]
    features = torch.randn(2, 3, 17, 23).to(DTYPES[dtype])
    corners = torch.rand(n, 2) * torch.tensor([100.0, 76.0]) - 8
    rois = torch.cat([corners, corners + torch.rand(n, 2) ** 2 * 60], 1)
    batch = torch.randint(2, (n,), dtype=torch.int32)
    y = roi_align(features.float(), torch.cat([batch[:, None].float(), rois], 1), (4, 5), 0.25, ratio, aligned)
    add(name, dtype, size, {"features": features, "rois": rois, "batch": batch}, {"y": y})


def cached_attention(name, dtype, size, heads=2, capacity=33, width=36):
    batch = {"min": 1, "opt": 2, "max": 4}[size]
    step = {k: torch.randn(batch, heads, width).to(DTYPES[dtype]) for k in ("query", "key", "value")}
    caches = {k: torch.randn(batch, heads, capacity, width).to(DTYPES[dtype]) for k in ("keys", "values")}
    position = {"min": [0], "opt": [7, 20], "max": [capacity - 1, 0, 31, 12]}[size]
    keys, values = (caches[k].clone() for k in ("keys", "values"))
    rows = []
    for i, at in enumerate(position):
        keys[i, :, at], values[i, :, at] = step["key"][i], step["value"][i]
        q, k, v = step["query"][i].float(), keys[i, :, : at + 1].float(), values[i, :, : at + 1].float()
        rows.append(F.scaled_dot_product_attention(q[:, None], k, v)[:, 0])
    inputs = {**step, **caches, "position": torch.tensor(position, dtype=torch.int32)}
    add(name, dtype, size, inputs, {"y": torch.stack(rows), "keysOut": keys, "valuesOut": values})


def select_rows(name, dtype, size):
    n = {"min": 1, "opt": 600, "max": 1500}[size]
    rows, scores = torch.randn(n, 5).to(DTYPES[dtype]), torch.rand(n).to(DTYPES[dtype])
    indices = torch.nonzero(scores > 0.5)[:, 0].int()
    outputs = {"kept": rows[indices], "indices": indices, "count": torch.tensor(len(indices), dtype=torch.int32)}
    add(name, dtype, size, {"rows": rows, "scores": scores}, outputs)


torch.manual_seed(2012)
for size in SIZES:
    for dtype in DTYPES:
        hard_swish("hard-swish", dtype, size)
    for dtype in ("float32", "float16"):
        rms_norm("rms-norm", dtype, size, 1032)
        rms_norm("rms-norm odd", dtype, size, 37)
        roi("roi-align", dtype, size, True, 0)
        roi("roi-align legacy", dtype, size, False, 2)
        cached_attention("cached-attention", dtype, size)
        select_rows("select-rows", dtype, size)
path = Path(__file__).with_name("reference.safetensors")
save_file(tensors, path)
print(f"{path}: {len(tensors)} tensors, {path.stat().st_size} bytes")
