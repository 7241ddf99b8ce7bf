#!/usr/bin/env python3
"""Writes an HRNet-W18 of timm with random weights, and its outputs.

    python3 examples/hrnet/reference.py [--full]

Needs PyTorch >= 1.13, timm, numpy and safetensors. The reduced size has all modules and blocks, with a ninth of the
channels and images of 64 x 64.
"""

import sys
from pathlib import Path

import timm
import torch

sys.path.append(str(Path(__file__).resolve().parent.parent))
from porting import narrow, save, settle, start  # noqa: E402


def main():
    full, folder = start(__doc__, __file__)
    size = 224 if full else 64
    model = timm.create_model("hrnet_w18", num_classes=1000 if full else 100)
    if not full:
        narrow(model, 9)
    settle(model, torch.randn(8 if full else 64, 3, size, size), residual=["bn2", "bn3"])
    image = torch.randn(2, 3, size, size)
    config = {"modules": [1, 4, 3], "blocks": 4, "size": size}
    save(folder, config, model.state_dict(), {"image": {"image": image, "logits": model(image)}})


if __name__ == "__main__":
    main()
