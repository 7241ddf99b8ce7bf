"""gpt2_torch.py FOLDER reference | speeds: greedy decoding by PyTorch and transformers, with the weights of examples/gpt2/reference.py --full.

`reference` writes FOLDER/gpt2.json, the prompt and the tokens of float32. `speeds` prints a line of JSON each: eager, then torch.compile.
"""

import inspect
import json
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel, StaticCache

LENGTH = 256
PROMPT = 16
STEPS = 224
torch.set_grad_enabled(False)
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
folder = Path(sys.argv[1])


def model_of(dtype):
    model = GPT2LMHeadModel(GPT2Config())
    state = load_file(folder / "models" / "gpt2" / "weights.safetensors")
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    return model.eval().to("cuda", dtype)


def prompt_of():
    generator = torch.Generator().manual_seed(13)
    return torch.randint(50257, (1, PROMPT), generator=generator)


def dynamic(model, ids, steps):
    """Greedy with a cache that grows; what `generate` does, without its bookkeeping. The seconds are those of the steps."""
    result = model(ids, use_cache=True)
    tokens = [result.logits[:, -1:].argmax(-1)]
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        result = model(tokens[-1], past_key_values=result.past_key_values, use_cache=True)
        tokens.append(result.logits[:, -1:].argmax(-1))
    found = torch.cat(tokens, -1)[0].tolist()
    return time.perf_counter() - start, found


def at(model, places):
    """Releases of transformers that let the cache count have no such argument."""
    return {"cache_position": places} if "cache_position" in inspect.signature(model.forward).parameters else {}


def static(model, step, ids, steps):
    """The same with a cache of fixed length, which torch.compile's graphs need."""
    cache = StaticCache(config=model.config, max_cache_len=LENGTH)
    places = torch.arange(LENGTH, device="cuda")
    result = model(ids, past_key_values=cache, use_cache=True, **at(model, places[:PROMPT]))
    token = result.logits[:, -1:].argmax(-1)
    tokens = [token]
    torch.cuda.synchronize()
    start = time.perf_counter()
    for i in range(steps):
        token = step(token.clone(), cache, places[PROMPT + i:PROMPT + i + 1])
        tokens.append(token.clone())
    found = torch.cat(tokens, -1)[0].tolist()
    return time.perf_counter() - start, found


def say(dtype, who, seconds, tokens):
    speed = STEPS / sorted(seconds)[len(seconds) // 2]
    row = {"dtype": str(dtype).split(".")[1], "who": who, "perSecond": speed, "tokens": tokens}
    with open(folder / "gpt2-torch.jsonl", "a") as file:
        file.write(json.dumps(row) + "\n")
    print(row["dtype"], who, f"{speed:.0f} tokens/s", flush=True)


def speeds(repeat=5):
    (folder / "gpt2-torch.jsonl").unlink(missing_ok=True)
    ids = prompt_of().cuda()
    models = {dtype: model_of(dtype) for dtype in (torch.float16, torch.float32)}
    for dtype, model in models.items():
        dynamic(model, ids, 16)
        runs = [dynamic(model, ids, STEPS) for _ in range(repeat)]
        say(dtype, "PyTorch, eager", [seconds for seconds, _ in runs], runs[0][1])
    for dtype, model in models.items():
        def step(token, cache, place):
            result = model(token, past_key_values=cache, use_cache=True, **at(model, place))
            return result.logits[:, -1:].argmax(-1)

        compiled = torch.compile(step, mode="reduce-overhead", fullgraph=False)
        for _ in range(2):
            static(model, compiled, ids, 16)
        runs = [static(model, compiled, ids, STEPS) for _ in range(repeat)]
        say(dtype, "PyTorch, torch.compile", [seconds for seconds, _ in runs], runs[0][1])


def reference():
    ids = prompt_of()
    _, tokens = dynamic(model_of(torch.float32), ids.cuda(), STEPS)
    (folder / "gpt2.json").write_text(json.dumps({"length": LENGTH, "prompt": ids[0].tolist(), "tokens": tokens}))
    print(f"{len(tokens)} tokens, {len(set(tokens))} different ones")


{"reference": reference, "speeds": speeds}[sys.argv[2]]()
