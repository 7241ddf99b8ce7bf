#!/usr/bin/env python3
"""Writes a GPT-2 of transformers with random weights, and its logits and caches while it reads and then writes.

    python3 examples/gpt2/reference.py [--full]

Needs PyTorch >= 1.13, transformers, numpy and safetensors. The reduced size has 3 of GPT-2 small's 12 layers, 64 of its 768
features and 4 of its 12 heads. Runs: prefill reads 6 tokens, decode1 to decode4 one each, the likeliest so far.
"""

import sys
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel

sys.path.append(str(Path(__file__).resolve().parent.parent))
from porting import perturb, save, start  # noqa: E402


def main():
    full, folder = start(__doc__, __file__)
    small = dict(vocab_size=512, n_positions=64, n_embd=64, n_layer=3, n_head=4)
    config = GPT2Config(**({} if full else small))
    model = perturb(GPT2LMHeadModel(config))
    size = config.n_embd // config.n_head
    ids = torch.randint(config.vocab_size, (2, 6))
    cache, runs = None, {}
    for name in ("prefill", "decode1", "decode2", "decode3", "decode4"):
        result = model(ids, past_key_values=cache, use_cache=True)
        run = runs[name] = {"input_ids": ids, "logits": result.logits}
        for i, pair in enumerate(result.past_key_values):
            for what, tensor in zip(("key", "value"), pair):
                run[f"present.{i}.{what}"] = tensor
                if cache is None:
                    run[f"past.{i}.{what}"] = torch.zeros(2, config.n_head, 0, size)
        cache = result.past_key_values
        ids = result.logits[:, -1:].argmax(-1)
    state = {name: t for name, t in model.state_dict().items() if name != "lm_head.weight"}  # is wte's
    stored = {"layers": config.n_layer, "heads": config.n_head, "eps": config.layer_norm_epsilon}
    save(folder, stored, state, runs)


if __name__ == "__main__":
    main()
