#!/usr/bin/env python3
"""Trains the character model of TensorRT's sampleCharRNN and stores its weights and greedy continuations.

    python3 examples/charrnn/train.py tinyshakespeare.txt

Needs PyTorch >= 1.13, numpy and safetensors; the text (1,115,394 characters, 65 different ones) is an argument and
stays where it is. The last tenth of the text is never trained on. Writes, beside this script:

charrnn.safetensors  float32, names and layouts of PyTorch's state_dict: embedding.weight [V, H]; for each layer l of
                     two, lstm.weight_ih_l<l> and lstm.weight_hh_l<l> [4H, H], lstm.bias_ih_l<l> and lstm.bias_hh_l<l>
                     [4H], gates in the order input, forget, cell, output; linear.weight [V, H] and linear.bias [V]
reference.json       vocabulary: one string, the character of each id in order
                     loss: nats per character on the last tenth of the text
                     start: the character that is read before every prime
                     length: characters per continuation
                     continuations: { prime, text, gap } for each prime

A continuation starts from zero states (h and c, [2, H]), reads a newline, for a prime begins a line, and then the prime,
one character at a time; `length` times it takes the character of the largest logit and reads it back. `text` leaves
newline and prime out. `gap` is the smallest
distance between the largest and the second largest logit along the way: primes with a gap below --gap are left out,
so that another implementation's rounding cannot change a character.

Training: the text is cut into one stream per batch row; states are carried from window to window, gradients are not
(truncated backpropagation). Adam, learning rate 0.002 falling to 0 as a cosine, gradients clipped to norm 1. One
thread and fixed seeds. Ten minutes on one core with a fast BLAS.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
WEIGHTS = HERE / "charrnn.safetensors"
SEED = 1623
HIDDEN = 256
START = "\n"
LENGTH = 200
PRIMES = [
    "ROMEO", "JULIET:", "First Citizen:", "KING RICHARD III:\n", "To be, or not to be", "My lord, ", "What is ",
    "The ", "O, ", "Thou art ", "I have ", "Enter ", "Good morrow", "And so", "When ", "GLOUCESTER:\nNow",
]  # fmt: skip


class CharRNN(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, HIDDEN)
        self.lstm = nn.LSTM(HIDDEN, HIDDEN, num_layers=2)
        self.linear = nn.Linear(HIDDEN, vocabulary)

    def forward(self, ids, state=None):
        """Logits [T, B, V] and the new state of ids [T, B]."""
        y, state = self.lstm(self.embedding(ids), state)
        return self.linear(y), state


def streams(ids, batch, window):
    """Endless (inputs, targets, restart) of shape [window, batch] each, in the order of the text."""
    length = (len(ids) - 1) // batch
    x = ids[: length * batch].view(batch, length).t()
    y = ids[1 : length * batch + 1].view(batch, length).t()
    while True:
        for start in range(0, length - window + 1, window):
            yield x[start : start + window], y[start : start + window], start == 0


def train(model, ids, steps, batch, window):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
    state = None
    for step, (x, y, restart) in zip(range(steps), streams(ids, batch, window)):
        optimizer.param_groups[0]["lr"] = 0.001 * (1 + math.cos(math.pi * step / steps))
        state = None if restart else tuple(s.detach() for s in state)
        optimizer.zero_grad()
        logits, state = model(x, state)
        loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1}: loss {loss.item():.4f}", flush=True)


@torch.no_grad()
def evaluate(model, ids):
    x, y, _ = next(streams(ids, 16, (len(ids) - 1) // 16))
    return F.cross_entropy(model(x)[0].flatten(0, 1), y.flatten()).item()


@torch.no_grad()
def greedy(model, vocabulary, prime):
    """LENGTH characters after START and the prime, and the smallest gap between the two largest logits on the way."""
    ids, text, gap = torch.tensor([[vocabulary.index(c)] for c in START + prime]), "", math.inf
    state = None
    for _ in range(LENGTH):
        logits, state = model(ids, state)
        best, second = logits[-1, 0].topk(2).values.tolist()
        gap = min(gap, best - second)
        ids = logits[-1:].argmax(2)
        text += vocabulary[ids.item()]
    return text, gap


def main():
    parser = argparse.ArgumentParser(description="Train a character LSTM on a text")
    parser.add_argument("text", type=Path)
    parser.add_argument("--steps", type=int, default=3400)
    parser.add_argument("--reuse", action="store_true", help="take the stored weights; write only reference.json")
    parser.add_argument("--gap", type=float, default=1e-3, help="primes with a closer call than this are left out")
    args = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)

    text = args.text.read_text()
    vocabulary = "".join(sorted(set(text)))
    ids = torch.from_numpy(np.array([vocabulary.index(c) for c in text], np.int64))
    tenth = len(ids) // 10
    model = CharRNN(len(vocabulary))
    if args.reuse:
        model.load_state_dict({name: torch.from_numpy(value) for name, value in load_file(WEIGHTS).items()})
    else:
        train(model, ids[:-tenth], args.steps, batch=32, window=64)
        save_file({name: value.numpy() for name, value in model.state_dict().items()}, WEIGHTS)
    loss = evaluate(model, ids[-tenth:])
    print(f"loss on the last tenth: {loss:.4f}")

    continuations = []
    for prime in PRIMES:
        continuation, gap = greedy(model, vocabulary, prime)
        print(f"{'kept   ' if gap >= args.gap else 'dropped'} {gap:.5f} {prime!r} {continuation!r}")
        if gap >= args.gap:
            continuations.append({"prime": prime, "text": continuation, "gap": round(gap, 6)})

    reference = {
        "vocabulary": vocabulary,
        "loss": round(loss, 4),
        "start": START,
        "length": LENGTH,
        "continuations": continuations,
    }
    (HERE / "reference.json").write_text(json.dumps(reference, indent=2) + "\n")


if __name__ == "__main__":
    main()
