#!/usr/bin/env python3
"""Writes what the package silero-vad, with PyTorch, hears in the sound of sound.ts.

    npx tsx examples/silero-vad/sound.ts sound.wav
    python3 examples/silero-vad/reference.py sound.wav

Needs silero-vad 6.2.3, scipy and safetensors. The package's safetensors and its TorchScript model have the same layers, but come from
different trainings, as do those of 6.2.1; so the model gets the weights of the safetensors. Writes reference.safetensors: the probability of each chunk, and the segments that
get_speech_timestamps finds, in samples. The metadata has the SHA-256 of the samples.
"""

import hashlib
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file
from scipy.io import wavfile
from silero_vad import get_speech_timestamps, load_silero_vad

rate, samples = wavfile.read(sys.argv[1])
assert rate == 16000 and samples.dtype == np.int16 and samples.ndim == 1
audio = torch.from_numpy(samples.astype(np.float32) / 32768)
model = load_silero_vad()
weights = load_file(files("silero_vad.data") / "silero_vad_16k.safetensors")
# Both list the tensors in the order of the layers.
order = ["stft_conv", "conv1", "conv2", "conv3", "conv4", "lstm_cell", "final_conv"]
kinds = ["weight", "weight_ih", "weight_hh", "bias", "bias_ih", "bias_hh"]
stored = [weights.pop(f"{layer}.{kind}") for layer in order for kind in kinds if f"{layer}.{kind}" in weights]
names = [name for name in model.state_dict() if name.startswith("_model.")]
assert not weights and len(names) == len(stored)
model.load_state_dict(dict(zip(names, stored)), strict=False)
with torch.no_grad():
    speech = model.audio_forward(audio[None], sr=rate)[0].numpy()
segments = [[segment["start"], segment["end"]] for segment in get_speech_timestamps(audio, model)]
print(segments, [(a / rate, b / rate) for a, b in segments])
save_file(
    {"speech": speech, "segments": np.array(segments, np.int32)},
    Path(__file__).resolve().parent / "reference.safetensors",
    {"sha256": hashlib.sha256(samples.tobytes()).hexdigest()},
)
