#!/usr/bin/env python3
"""Writes a ResNet-50 of torchvision with random weights, and its outputs.

    python3 examples/resnet50/reference.py [--full]

Needs PyTorch >= 1.13, torchvision, numpy and safetensors. The reduced size has all 16 blocks, with a sixteenth of the
channels and images of 64 x 64.
"""

import sys
from pathlib import Path

import torch
from torchvision.models import resnet50

sys.path.append(str(Path(__file__).resolve().parent.parent))
from porting import narrow, save, settle, start  # noqa: E402


def main():
    full, folder = start(__doc__, __file__)
    size = 224 if full else 64
    model = resnet50() if full else narrow(resnet50(num_classes=100), 16)
    settle(model, torch.randn(8 if full else 64, 3, size, size), residual=["bn3"])
    image = torch.randn(2, 3, size, size)
    config = {"blocks": [3, 4, 6, 3], "size": size}
    save(folder, config, model.state_dict(), {"image": {"image": image, "logits": model(image)}})


if __name__ == "__main__":
    main()
