#!/usr/bin/env python3
"""Trains the small network of the README's first sample and stores its weights: python3 examples/digits/train.py

Needs PyTorch >= 1.12, numpy and safetensors. It learns ten digits drawn below, 8 x 8 pixels, shifted by up to a pixel, with
noise. One thread and fixed seeds: the same PyTorch writes the same bytes again. Writes

digits.safetensors                          conv1, conv2, fc: weight and bias, as in PyTorch's state_dict; part of the npm package
../../test/docs/fixtures/digits.safetensors the seven that the README draws, float32 [1, 1, 8, 8], which training never saw, and
                                            the probabilities [1, 10] that PyTorch gives it
"""

from pathlib import Path

import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
SEED = 8

# Rows of digits 0 to 4, then of 5 to 9.
DRAWN = (
    """
    ........ ........ ........ ........ ........
    ..####.. ...##... ..####.. ..####.. ....##..
    .#....#. ..###... .#....#. .#....#. ...#.#..
    .#....#. ...##... .....#.. ....##.. ..#..#..
    .#....#. ...##... ....#... ......#. .######.
    .#....#. ...##... ...#.... .#....#. .....#..
    ..####.. ..####.. .######. ..####.. .....#..
    ........ ........ ........ ........ ........
    """,
    """
    ........ ........ ........ ........ ........
    .######. ..####.. .######. ..####.. ..####..
    .#...... .#...... .....#.. .#....#. .#....#.
    .#####.. .#####.. ....#... ..####.. .#....#.
    ......#. .#....#. ...#.... .#....#. ..#####.
    .#....#. .#....#. ..#..... .#....#. ......#.
    ..####.. ..####.. ..#..... ..####.. ..####..
    ........ ........ ........ ........ ........
    """,
)

SEVEN = """
    ........
    .######.
    .....##.
    ....##..
    ...##...
    ...##...
    ..##....
    ........
"""


def pixels(digit):
    """float32 [1, 8, 8] of rows."""
    return torch.tensor([[[float(pixel == "#") for pixel in row] for row in digit]])


def digits():
    """float32 [10, 1, 8, 8]."""
    rows = [[line.split() for line in block.strip().splitlines()] for block in DRAWN]
    return torch.stack([pixels([line[i] for line in block]) for block in rows for i in range(5)])


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, kernel_size=3, padding=1)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), kernel_size=2)
        x = F.max_pool2d(F.relu(self.conv2(x)), kernel_size=2)
        return self.fc(x.flatten(1))


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    clean = digits()
    model = Digits()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(1500):
        label = torch.randint(0, 10, (64,))
        shift = torch.randint(-1, 2, (2,)).tolist()
        noisy = clean[label].roll(shift, dims=(2, 3)) + 0.3 * torch.randn(64, 1, 8, 8)
        loss = F.cross_entropy(model(noisy), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        least = model(clean).softmax(1).diag().min()
        image = pixels(SEVEN.split())[None]
        prob = model(image).softmax(1)
    print(f"loss {loss.item():.4f}, least probability of the right digit {least:.4f}, of the seven {prob[0, 7]:.4f}")
    save_file({name: value.numpy() for name, value in model.state_dict().items()}, HERE / "digits.safetensors")
    fixture = HERE.parent.parent / "test/docs/fixtures/digits.safetensors"
    save_file({"image": image.numpy(), "prob": prob.numpy()}, fixture)


if __name__ == "__main__":
    main()
