#!/usr/bin/env python3
"""Writes a ResNet-50 of torchvision with random weights, and its outputs.

    python3 examples/resnet50/reference.py [--full]

Needs PyTorch >= 1.13, torchvision, numpy and safetensors. The reduced size has all 16 blocks, with a sixteenth of the
channels and images of 64 x 64.
"""

import sys
from pathlib import Path

import torch
from torchvision.models import ResNet
from torchvision.models.resnet import Bottleneck

sys.path.append(str(Path(__file__).resolve().parent.parent))
from porting import save, settle, start  # noqa: E402


def resnet(config):
    """torchvision's ResNet; narrower where the configuration says so, which its own constructor cannot do."""
    model = ResNet(Bottleneck, config["blocks"], num_classes=config["classes"])
    width = config["width"]
    if width == 64:
        return model
    model.inplanes = width
    model.conv1 = torch.nn.Conv2d(3, width, 7, 2, 3, bias=False)
    model.bn1 = torch.nn.BatchNorm2d(width)
    for stage, blocks in enumerate(config["blocks"]):
        layer = model._make_layer(Bottleneck, width << stage, blocks, stride=1 if stage == 0 else 2)
        setattr(model, f"layer{stage + 1}", layer)
    model.fc = torch.nn.Linear(width * 32, config["classes"])
    return model


def main():
    full, folder = start(__doc__, __file__)
    width, classes, size = (64, 1000, 224) if full else (4, 100, 64)
    config = {"width": width, "blocks": [3, 4, 6, 3], "classes": classes, "size": size}
    model = settle(resnet(config), torch.randn(8, 3, size, size), residual=["bn3"])
    image = torch.randn(2, 3, size, size)
    save(folder, config, model.state_dict(), {"image": {"image": image, "logits": model(image)}})


if __name__ == "__main__":
    main()
