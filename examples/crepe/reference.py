#!/usr/bin/env python3
"""Writes what torchcrepe's tiny model computes of a gliding tone and noise: python3 examples/crepe/reference.py

Needs torchcrepe 0.0.24, numpy and safetensors. Writes reference.safetensors: the samples, and the probabilities of 360 bins every 10 ms.
"""

from pathlib import Path

import numpy as np
import torch
import torchcrepe
from safetensors.numpy import save_file

time = np.arange(8000) / 16000
hz = 100 * 2 ** (3 * time / time[-1])
phase = 2 * np.pi * np.cumsum(hz) / 16000
noise = np.random.default_rng(0).normal(0, 0.05, time.size)
samples = (0.3 * np.sin(phase) + 0.15 * np.sin(2 * phase) + noise).astype(np.float32)
with torch.no_grad():
    frames = next(torchcrepe.preprocess(torch.from_numpy(samples)[None], 16000))
    probability = torchcrepe.infer(frames, "tiny").numpy()
save_file({"samples": samples, "probability": probability}, Path(__file__).resolve().parent / "reference.safetensors")
