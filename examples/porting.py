"""What the reference.py scripts of the ported models have in common: the command line, seeds, batch norms and files.

Each script writes two safetensors files: `weights` holds the reference implementation's own state_dict, `reference` the
inputs and outputs of each run as `<run>.<name>`. The network's configuration and the names of the runs are in the
metadata. A reduced configuration goes beside the script; `--full` writes the real size to the cache, as
`~/.cache/node-tensorrt/models/<example>/`.
"""

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file


def start(description, file):
    """Parses the command line and fixes the seed. Returns whether the full size is wanted, and the folder to write to."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="the real size, written to the cache")
    full = parser.parse_args().full
    torch.manual_seed(2012)
    torch.set_grad_enabled(False)
    folder = Path(file).resolve().parent
    if not full:
        return full, folder
    cache = os.environ.get("NODE_TENSORRT_CACHE") or Path.home() / ".cache/node-tensorrt"
    return full, Path(cache) / "models" / folder.relative_to(Path(__file__).resolve().parent)


def narrow(model, divisor):
    """The same topology with a fraction of the channels; images and classes stay as many as they are."""
    nn = torch.nn
    fewer = lambda channels: channels // divisor if channels > 3 else channels
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d):
                sizes = child.kernel_size, child.stride, child.padding
                conv = nn.Conv2d(fewer(child.in_channels), fewer(child.out_channels), *sizes, bias=child.bias is not None)
                setattr(parent, name, conv)
            elif isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, nn.BatchNorm2d(fewer(child.num_features)))
            elif isinstance(child, nn.Linear):
                setattr(parent, name, nn.Linear(fewer(child.in_features), child.out_features))
    return model


def settle(model, *inputs, residual=()):
    """
    Random gammas and betas, and the statistics of a forward pass over the inputs: values stay near one in depth. Norms
    that end a residual branch (by how their names end) get small gammas, as training leaves them: without it, a
    random network of 50 layers blows rounding up a thousandfold.
    """
    norms = {name: m for name, m in model.named_modules() if isinstance(m, torch.nn.BatchNorm2d)}
    for name, norm in norms.items():
        norm.momentum = None
        norm.weight.uniform_(0.6, 1.4)
        norm.bias.normal_(0, 0.3)
        if name.endswith(tuple(residual)):
            norm.weight.mul_(0.2)
    model.train()
    model(*inputs)
    return model.eval()


def perturb(model, scale=3):
    """Random biases and norms too, and weights `scale` times those of a model that has yet to learn."""
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            parameter.mul_(scale)
        else:
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return model.eval()


def arrays(tensors):
    """Tensors as the files hold them; indices are int32."""
    return {
        name: np.ascontiguousarray(t.numpy().astype(np.int32) if t.dtype == torch.int64 else t.numpy())
        for name, t in tensors.items()
    }


def save(folder, config, state, runs):
    """Writes both files. `runs` are the inputs and outputs by name, by run."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(arrays(state), folder / "weights.safetensors", {"config": json.dumps(config)})
    save_runs(folder, runs)


def save_pretrained(folder, config, model, runs):
    """The same of a model of diffusers, whose own save_pretrained writes the weights; the configuration goes with the runs."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as saved:
        model.save_pretrained(saved)
        shutil.copyfile(Path(saved) / "diffusion_pytorch_model.safetensors", folder / "weights.safetensors")
    save_runs(folder, runs, config=json.dumps(config))


def save_runs(folder, runs, **metadata):
    stored = {f"{run}.{name}": tensor for run, tensors in runs.items() for name, tensor in tensors.items()}
    save_file(arrays(stored), folder / "reference.safetensors", {"runs": json.dumps(list(runs)), **metadata})
    sizes = [(folder / f"{name}.safetensors").stat().st_size for name in ("weights", "reference")]
    print(f"{folder}: weights {sizes[0]} bytes, reference {sizes[1]} bytes")
