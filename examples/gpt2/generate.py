#!/usr/bin/env python3
"""Writes a small GPT-2 of transformers that does not repeat itself, and how it goes on with prompts: the likeliest tokens.

    python3 examples/gpt2/generate.py

Needs PyTorch, transformers, numpy and safetensors. The stored files, generate.safetensors and generate.json, were written with
PyTorch 2.15 and transformers 4.57.6. `gap` is the least distance between the logits of the likeliest token and of the next.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.numpy import save_file
from transformers import GPT2Config, GPT2LMHeadModel

sys.path.append(str(Path(__file__).resolve().parent.parent))
from porting import arrays, perturb  # noqa: E402

folder = Path(__file__).resolve().parent
lengths = {1: 63, 6: 40, 17: 47, 40: 24}  # of prompts, and what is written


def main():
    torch.manual_seed(2287)
    torch.set_grad_enabled(False)
    config = GPT2Config(vocab_size=64, n_positions=64, n_embd=32, n_layer=2, n_head=4)
    model = perturb(GPT2LMHeadModel(config), 6)
    # A model repeats a token that weighs more than what the blocks add to it.
    model.transformer.wte.weight.mul_(0.2)
    cases = []
    for length, count in lengths.items():
        prompt = torch.randint(config.vocab_size, (1, length))
        result = model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=count,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
            output_logits=True,
            return_dict_in_generate=True,
        )
        best = torch.stack(result.logits).topk(2).values
        gap = float((best[..., 0] - best[..., 1]).min())
        tokens = result.sequences[0, length:].tolist()
        assert len(tokens) == count
        print(f"{length} tokens, then {count}, {len(set(tokens))} different, gap {gap:.2g}")
        cases.append({"prompt": prompt[0].tolist(), "tokens": tokens, "gap": round(gap, 4)})
    state = {name: t for name, t in model.state_dict().items() if name != "lm_head.weight"}  # is wte's
    stored = {"layers": config.n_layer, "heads": config.n_head, "eps": config.layer_norm_epsilon}
    save_file(arrays(state), folder / "generate.safetensors", {"config": json.dumps(stored)})
    lines = ",\n  ".join(json.dumps(case) for case in cases)
    (folder / "generate.json").write_text(f"[\n  {lines}\n]\n")


if __name__ == "__main__":
    main()
