"""gpt2_peer.py STEP PREFILL: what gpt2.cc does, in Python: the same plans, two sets of state, CUDA graphs that PyTorch replays. Answers the same lines."""

import json
import sys
import time

import tensorrt_bindings as trt
import torch

TORCH = {trt.DataType.FLOAT: torch.float32, trt.DataType.HALF: torch.float16, trt.DataType.INT32: torch.int32}
logger = trt.Logger(trt.Logger.ERROR)
runtime = trt.Runtime(logger)
stream = torch.cuda.Stream()


def load(path):
    with open(path, "rb") as file:
        engine = runtime.deserialize_cuda_engine(file.read())
    return engine, engine.create_execution_context()


def names(engine, mode):
    every = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
    return [name for name in every if engine.get_tensor_mode(name) == mode]


def bind(engine, context, before, after, other):
    for name in names(engine, trt.TensorIOMode.INPUT):
        context.set_tensor_address(name, before[name].data_ptr())
    for name in names(engine, trt.TensorIOMode.OUTPUT):
        tensor = after[name[len("next."):]] if name.startswith("next.") else other[name]
        context.set_tensor_address(name, tensor.data_ptr())


def zeros(engine, name):
    shape = tuple(engine.get_tensor_shape(name))
    return torch.zeros(shape, dtype=TORCH[engine.get_tensor_dtype(name)], device="cuda")


def main():
    step, stepping = load(sys.argv[1])
    prefill, reading = load(sys.argv[2])
    states = [{name: zeros(step, name) for name in names(step, trt.TensorIOMode.INPUT)} for _ in range(2)]
    outputs = names(step, trt.TensorIOMode.OUTPUT)
    other = {name: zeros(step, name) for name in outputs if not name.startswith("next.")}
    written = torch.empty(states[0]["written"].shape, dtype=torch.int32).pin_memory()
    graphs = []
    torch.cuda.synchronize()
    for k in (0, 1):
        bind(step, stepping, states[k], states[1 - k], other)
        assert stepping.execute_async_v3(stream.cuda_stream)
        stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            assert stepping.execute_async_v3(torch.cuda.current_stream().cuda_stream)
        graphs.append(graph)

    def decode(prompt, count, every):
        for tensor in states[1].values():
            tensor.zero_()
        tokens = torch.tensor([prompt], dtype=torch.int32, device="cuda")
        bind(prefill, reading, states[1], states[0], other)
        reading.set_tensor_address("tokens", tokens.data_ptr())
        assert reading.set_input_shape("tokens", tuple(tokens.shape))
        torch.cuda.synchronize()
        assert reading.execute_async_v3(stream.cuda_stream)
        stream.synchronize()
        with torch.cuda.stream(stream):
            start = time.perf_counter()
            for i in range(count):
                graphs[i % 2].replay()
                if (i + 1) % every == 0 or i + 1 == count:
                    written.copy_(states[1 - i % 2]["written"], non_blocking=True)
                    stream.synchronize()
            seconds = time.perf_counter() - start
        return seconds, written[0, len(prompt):len(prompt) + count + 1].tolist()

    for line in sys.stdin:
        _, count, every, *prompt = line.split()
        seconds, tokens = decode([int(token) for token in prompt], int(count), int(every))
        print(json.dumps({"us": seconds * 1e6, "tokens": tokens}), flush=True)


if __name__ == "__main__":
    main()
