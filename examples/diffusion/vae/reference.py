#!/usr/bin/env python3
"""Writes an AutoencoderKL of diffusers with random weights, and the image that its decoder makes of latents.

    python3 examples/diffusion/vae/reference.py [--full]

Needs PyTorch, diffusers, numpy and safetensors. The reduced size has two of Stable Diffusion's four levels, with 8 and 16 of its
128 to 512 channels.
weights.safetensors is what save_pretrained writes, with the encoder.
"""

import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL

sys.path.append(str(Path(__file__).resolve().parents[2]))
from porting import perturb, save_pretrained, start  # noqa: E402


def main():
    full, folder = start(__doc__, __file__)
    widths, groups, size = ((128, 256, 512, 512), 32, 64) if full else ((8, 16), 4, 8)
    blocks = len(widths)
    model = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks,
        block_out_channels=widths,
        layers_per_block=2 if full else 1,
        norm_num_groups=groups,
        latent_channels=4,
    )
    model = perturb(model, scale=1.5)
    latents = torch.randn(2, 4, size, size)
    image = model.decode(latents).sample
    # The decoder's group norms have this eps, which no configuration names.
    config = {"size": size, "channels": 4, "groups": groups, "eps": 1e-6}
    save_pretrained(folder, config, model, {"decode": {"latents": latents, "image": image}})


if __name__ == "__main__":
    main()
