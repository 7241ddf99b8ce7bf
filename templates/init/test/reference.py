"""Writes reference.safetensors, what PyTorch computes: python3 test/reference.py (needs torch, numpy and safetensors)."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

HERE = Path(__file__).resolve().parent


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, kernel_size=3, padding=1)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.conv1(x).relu(), kernel_size=2)
        x = nn.functional.max_pool2d(self.conv2(x).relu(), kernel_size=2)
        return self.fc(x.flatten(1)).softmax(1)


model = Digits()
model.load_state_dict(load_file(HERE.parent / "weights/digits.safetensors"))
torch.manual_seed(0)
image = torch.rand(4, 1, 8, 8)
with torch.no_grad():
    save_file({"image": image, "prob": model(image)}, HERE / "reference.safetensors")
