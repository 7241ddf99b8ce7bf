#!/usr/bin/env python3
"""Runs engines of test/gpu/python/make.ts in Python's TensorRT, with the library of `node-tensorrt plugins library` and nothing else of ours.

    LD_LIBRARY_PATH=~/lib PYTHONPATH=site python3 test/gpu/python/load_plugin_engine.py FOLDER

FOLDER has libmy_plugins.so, rms-norm.plan and select-rows.plan. Needs a GPU, PyTorch and TensorRT's bindings (tensorrt_cu12_bindings
of the release that built the engines). Prints a line a comparison; ends with 1 if one fails, or if an engine loads without the library.
"""

import sys
from pathlib import Path

import tensorrt_bindings as trt
import torch
import torch.nn.functional as F

folder = Path(sys.argv[1])
logger = trt.Logger(trt.Logger.WARNING)
stream = torch.cuda.Stream()
failed = False

TORCH = {
    trt.DataType.FLOAT: torch.float32, trt.DataType.HALF: torch.float16, trt.DataType.INT32: torch.int32,
    trt.DataType.INT64: torch.int64,
}


class Output(trt.IOutputAllocator):
    """Memory of an output whose size only the run knows."""

    def __init__(self, dtype):
        trt.IOutputAllocator.__init__(self)
        self.dtype = dtype
        self.memory = None
        self.shape = None

    def reallocate_output(self, name, memory, size, alignment):
        self.memory = torch.empty(max(size, 1), dtype=torch.uint8, device="cuda")
        return self.memory.data_ptr()

    def reallocate_output_async(self, name, memory, size, alignment, stream):
        return self.reallocate_output(name, memory, size, alignment)

    def notify_shape(self, name, shape):
        self.shape = tuple(shape)

    def tensor(self):
        count = 1
        for size in self.shape:
            count *= size
        return self.memory.view(self.dtype)[:count].reshape(self.shape)


def run(engine, inputs):
    """Outputs by name, of tensors by name."""
    context = engine.create_execution_context()
    outputs = {}
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
            assert context.set_input_shape(name, tuple(inputs[name].shape))
            context.set_tensor_address(name, inputs[name].data_ptr())
        else:
            outputs[name] = Output(TORCH[engine.get_tensor_dtype(name)])
            context.set_output_allocator(name, outputs[name])
    torch.cuda.synchronize()
    assert context.execute_async_v3(stream.cuda_stream)
    stream.synchronize()
    return {name: output.tensor() for name, output in outputs.items()}


def say(what, ok, detail=""):
    global failed
    failed |= not ok
    print(f"{'ok    ' if ok else 'FAILED'}  {what}  {detail}", flush=True)


def compare(what, ours, theirs, tolerance):
    """The largest difference over the root mean square; integers and copies must be equal."""
    if ours.shape != theirs.shape:
        return say(what, False, f"{tuple(ours.shape)}, not {tuple(theirs.shape)}")
    ours, theirs = ours.double(), theirs.double()
    difference = (ours - theirs).abs().max().item() / max(theirs.square().mean().sqrt().item(), 1e-30) if ours.numel() else 0
    say(what, difference <= tolerance, f"{difference:.1e} of {tolerance:.0e}")


def deserialize(name):
    return trt.Runtime(logger).deserialize_cuda_engine((folder / name).read_bytes())


say("without the library, the engine does not load", deserialize("rms-norm.plan") is None)
registry = trt.get_plugin_registry()
before = {(creator.name, creator.plugin_version, creator.plugin_namespace) for creator in registry.all_creators}
assert registry.load_library(str(folder / "libmy_plugins.so")) is not None
after = {(creator.name, creator.plugin_version, creator.plugin_namespace) for creator in registry.all_creators}
added = sorted(after - before)
expected = [("RmsNorm", "1", "node_tensorrt"), ("SelectRows", "1", "node_tensorrt")]
say("the library brings its creators", added == expected, str(added))

torch.manual_seed(7)
rms_norm = deserialize("rms-norm.plan")
for batch, tokens in ((1, 1), (2, 5), (8, 64)):
    x, residual = (torch.randn(batch, tokens, 1032, device="cuda").half() for _ in range(2))
    weight = (1 + torch.randn(1032, device="cuda") / 4).half()
    outputs = run(rms_norm, {"x": x, "residual": residual, "weight": weight})
    total = x + residual
    what = f"rms-norm [{batch}, {tokens}, 1032]"
    compare(f"{what} y", outputs["y"], F.rms_norm(total.float(), (1032,), weight.float(), 1e-5), 2e-3)
    compare(f"{what} sum", outputs["sum"], total, 0)


def captured(engine, inputs, outputs):
    """The same as a CUDA graph, with fixed addresses: captured in the very first enqueue, replayed twice with other inputs."""
    context = engine.create_execution_context()
    for name, tensor in {**inputs, **outputs}.items():
        if name in inputs:
            assert context.set_input_shape(name, tuple(tensor.shape))
        context.set_tensor_address(name, tensor.data_ptr())
    graph = torch.cuda.CUDAGraph()
    torch.cuda.synchronize()
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        assert context.execute_async_v3(torch.cuda.current_stream().cuda_stream)
    return context, graph


x, residual = (torch.zeros(2, 5, 1032, device="cuda").half() for _ in range(2))
weight = torch.ones(1032, device="cuda").half()
outputs = {name: torch.empty_like(x) for name in ("y", "sum")}
kept, graph = captured(rms_norm, {"x": x, "residual": residual, "weight": weight}, outputs)
for turn in range(2):
    x.normal_()
    residual.normal_()
    graph.replay()
    torch.cuda.synchronize()
    expected = F.rms_norm((x + residual).float(), (1032,), None, 1e-5)
    compare(f"rms-norm, captured, replay {turn}", outputs["y"], expected, 2e-3)

select_rows = deserialize("select-rows.plan")
for n in (1, 257, 4096, 100_000):
    rows, scores = torch.randn(n, 5, device="cuda"), torch.rand(n, device="cuda")
    outputs = run(select_rows, {"rows": rows, "scores": scores})
    indices = torch.nonzero(scores > 0.5)[:, 0]
    compare(f"select-rows {n} indices", outputs["indices"], indices, 0)
    compare(f"select-rows {n} kept", outputs["kept"], rows[indices], 0)
    compare(f"select-rows {n} count", outputs["count"], torch.tensor(len(indices), device="cuda"), 0)

print("all agree" if not failed else "something failed")
sys.exit(failed)
