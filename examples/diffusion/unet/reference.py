#!/usr/bin/env python3
"""Writes a UNet2DConditionModel of diffusers with random weights, and the noise that it predicts.

    python3 examples/diffusion/unet/reference.py [--full]

Needs PyTorch, diffusers, numpy and safetensors. The reduced size has two of Stable Diffusion 1's four levels, one layer in each, and
16 and 32 channels in place of 320 to 1280. weights.safetensors is what save_pretrained writes.
"""

import sys
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel

sys.path.append(str(Path(__file__).resolve().parents[2]))
from porting import perturb, save_pretrained, start  # noqa: E402


def main():
    full, folder = start(__doc__, __file__)
    small = dict(
        sample_size=8,
        block_out_channels=(16, 32),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        norm_num_groups=8,
        attention_head_dim=2,
    )
    size = dict(sample_size=64) if full else small
    model = perturb(UNet2DConditionModel(**size, cross_attention_dim=768 if full else 24), scale=1.5)
    c = model.config
    latents = torch.randn(2, c.in_channels, c.sample_size, c.sample_size)
    timestep = torch.tensor([981.0, 21.0])
    text = torch.randn(2, 5, c.cross_attention_dim)
    noise = model(latents, timestep, text).sample
    config = {
        "size": c.sample_size,
        "channels": c.in_channels,
        # SD 1 named the number of heads so.
        "heads": c.attention_head_dim,
        "features": c.cross_attention_dim,
        "groups": c.norm_num_groups,
        "eps": c.norm_eps,
    }
    save_pretrained(folder, config, model, {"step": {"latents": latents, "timestep": timestep, "text": text, "noise": noise}})


if __name__ == "__main__":
    main()
