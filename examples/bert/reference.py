#!/usr/bin/env python3
"""Writes a BERT of transformers with random weights, and its outputs.

    python3 examples/bert/reference.py [--full]

Needs PyTorch >= 1.13, transformers, numpy and safetensors. The reduced size has 3 of BERT-base's 12 layers, 64 of its 768
features and 4 of its 12 heads.
"""

import sys
from pathlib import Path

import torch
from transformers import BertConfig, BertModel

sys.path.append(str(Path(__file__).resolve().parent.parent))
from porting import perturb, save, start  # noqa: E402


def main():
    full, folder = start(__doc__, __file__)
    small = dict(vocab_size=512, hidden_size=64, num_hidden_layers=3, num_attention_heads=4, intermediate_size=128)
    config = BertConfig(**({} if full else small), attn_implementation="eager")
    model = perturb(BertModel(config))
    ids = torch.randint(config.vocab_size, (3, 12))
    mask = (torch.arange(12) < torch.tensor([[12], [7], [9]])).long()
    types = (torch.arange(12) >= torch.tensor([[5], [4], [12]])).long()
    result = model(ids, attention_mask=mask, token_type_ids=types)
    run = {
        "input_ids": ids,
        "attention_mask": mask,
        "token_type_ids": types,
        "last_hidden_state": result.last_hidden_state,
        "pooler_output": result.pooler_output,
    }
    stored = {"layers": config.num_hidden_layers, "heads": config.num_attention_heads, "eps": config.layer_norm_eps}
    save(folder, stored, model.state_dict(), {"sentences": run})


if __name__ == "__main__":
    main()
