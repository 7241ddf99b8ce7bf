"""Creates the networks of recording-network.ts with TensorRT-RTX's Python bindings, each several times; prints milliseconds."""

import array
import json
import math
import sys
import time

import tensorrt_rtx_bindings as trt

LAYERS, CHANNELS = 1000, 16


def weights(shape, f):
    data = array.array('f', [f(i) for i in range(math.prod(shape))])
    return data, trt.Weights(trt.float32, data.buffer_info()[0], len(data))


def kernel(size, seed):
    return weights([CHANNELS, CHANNELS, size, size], lambda i: math.sin(i + seed) / 16)


def bias(seed):
    return weights([CHANNELS], lambda i: math.cos(i + seed))


BLOCKS = [[(kernel(size, i), bias(i)) for size in (3, 1, 3)] for i in range(LAYERS // 10)]


def out(layer, name, named, read):
    tensor = layer.get_output(0)
    if named:
        layer.name = name
        tensor.name = name
    if read:
        tensor.shape
        tensor.dtype
    return tensor


def relu_chain(net, x, named, read):
    for i in range(LAYERS):
        name = f'activation_{i}' if i else 'activation'
        x = out(net.add_activation(x, trt.ActivationType.RELU), name, named, read)
    return x


def mixed_chain(net, x, named, read):
    def conv(x, size, parts, name):
        layer = net.add_convolution_nd(x, CHANNELS, (size, size), parts[0][1], parts[1][1])
        if size == 3:
            layer.padding_nd = (1, 1)
        return out(layer, name, named, read)

    for i, (conv1, conv2, conv3) in enumerate(BLOCKS):
        prefix = f'block{i}.'
        y = conv(x, 3, conv1, prefix + 'convolution')
        y = out(net.add_activation(y, trt.ActivationType.RELU), prefix + 'activation', named, read)
        y = conv(y, 1, conv2, prefix + 'convolution_1')
        layer = net.add_activation(y, trt.ActivationType.LEAKY_RELU)
        layer.alpha = 0.1
        y = out(layer, prefix + 'activation_1', named, read)
        y = conv(y, 3, conv3, prefix + 'convolution_2')
        y = out(net.add_elementwise(y, x, trt.ElementWiseOperation.SUM), prefix + 'element_wise', named, read)
        y = out(net.add_activation(y, trt.ActivationType.RELU), prefix + 'activation_2', named, read)
        layer = net.add_pooling_nd(y, trt.PoolingType.MAX, (3, 3))
        layer.stride_nd = (1, 1)
        layer.padding_nd = (1, 1)
        z = out(layer, prefix + 'pooling', named, read)
        z = out(net.add_activation(z, trt.ActivationType.SIGMOID), prefix + 'activation_3', named, read)
        x = out(net.add_elementwise(z, y, trt.ElementWiseOperation.PROD), prefix + 'element_wise_1', named, read)
    return x


def measure(builder, chain, named, read):
    began = time.perf_counter()
    net = builder.create_network(0)
    x = net.add_input('x', trt.float32, (-1, CHANNELS, 32, 32))
    y = {'relu': relu_chain, 'mixed': mixed_chain}[chain](net, x, named, read)
    y.name = 'y'
    net.mark_output(y)
    elapsed = (time.perf_counter() - began) * 1e3
    assert net.num_layers == LAYERS
    return elapsed


def main():
    times = int(sys.argv[1])
    builder = trt.Builder(trt.Logger(trt.Logger.WARNING))
    styles = {'plain': (False, False), 'named': (True, False), 'named, types read': (True, True)}
    result = {}
    for chain in ('mixed', 'relu'):
        result[chain] = {}
        for style, (named, read) in styles.items():
            result[chain][style] = [measure(builder, chain, named, read) for _ in range(times)]
    print(json.dumps(result))


main()
