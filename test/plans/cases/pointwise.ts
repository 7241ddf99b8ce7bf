import { float16, float32, imageInput, int32 } from '../../../src/index.js';
import { activationTypes } from '../../../src/layers/kinds/activation.js';
import { elementWiseOperations } from '../../../src/layers/kinds/element_wise.js';
import { unaryOperations } from '../../../src/layers/kinds/unary.js';
import { type PlanCases, ramp } from '../case.js';

export const cases: PlanCases = {
  activation(net) {
    const x = net.input('x', float32(2, 3));
    for (const type of activationTypes) x.activation({ type, alpha: 0.25, beta: 1.5 }).output(type);
  },

  /** PyTorch's names; TensorRT has their parameters in its own form. */
  activation_names(net) {
    const x = net.input('x', float32(2, 3));
    x.relu().output('relu');
    x.leakyRelu({ negativeSlope: 0.2 }).output('leakyRelu');
    x.elu({ alpha: 0.5 }).output('elu');
    x.selu().output('selu');
    x.softplus({ beta: 4 }).output('softplus');
    x.clamp({ min: -0.5, max: 0.75 }).output('clamp');
    x.hardSigmoid().output('hardSigmoid');
    x.scaledTanh({ alpha: 2, beta: 0.5 }).output('scaledTanh');
    x.thresholdedRelu({ threshold: 0.375 }).output('thresholdedRelu');
    x.gelu().output('gelu');
    x.gelu({ approximate: 'tanh' }).output('geluTanh');
    x.softsign().output('softsign');
  },

  unary(net) {
    const x = net.input('x', float32(2, 3));
    const b = net.input('b', { dtype: 'bool', shape: [2, 3] });
    for (const operation of unaryOperations) (operation === 'not' ? b : x).unary({ operation }).output(operation);
  },

  element_wise(net) {
    const a = net.input('a', float32(2, 3));
    const b = net.input('b', float32(1, 3));
    const p = net.input('p', { dtype: 'bool', shape: [2, 3] });
    const q = net.input('q', { dtype: 'bool', shape: [2, 3] });
    for (const operation of elementWiseOperations) {
      const logical = ['and', 'or', 'xor'].includes(operation);
      (logical ? p.elementWise(q, { operation }) : a.elementWise(b, { operation })).output(operation);
    }
  },

  select(net) {
    const x = net.input('x', float32(2, 3));
    const y = net.input('y', float32(2, 1));
    const p = net.input('p', { dtype: 'bool', shape: [2, 3] });
    x.where(p, y).output('out');
  },

  cast(net) {
    const x = net.input('x', float32(2, 3));
    for (const dtype of ['float16', 'bfloat16', 'int64', 'int32', 'bool'] as const) x.cast(dtype).output(dtype);
    net.input('i', int32(2, 3)).cast('float32').output('wide');
    net
      .input('u', { dtype: 'uint8', shape: [2, 3] })
      .cast('float32')
      .output('bytes');
    x.cast('uint8').output('uint8');
  },

  identity(net) {
    net.input('x', float16(2, 3)).identity().output('y');
  },

  /** An output that is an input, or a tensor under a second name, needs an identity. */
  outputs(net) {
    const x = net.input('x', float32(2, 3));
    x.output('same');
    const y = x.relu();
    y.output('one');
    y.output('two');
  },

  parametric_relu(net) {
    const x = net.input('x', float32(2, 3, 2));
    x.prelu({ weight: ramp([3]) }).output('known');
    x.prelu({ slope: net.input('slope', float32(1, 3, 1)) }).output('tensor');
  },

  scale(net) {
    const x = net.input('x', float32(1, 2, 3, 4));
    x.scale({ scale: 0.5, shift: 2, power: 3 }).output('uniform');
    x.scale({ scale: ramp([2]), shift: ramp([2], 1), mode: 'channel' }).output('channel');
    x.scale({ shift: ramp([3, 4], 2), power: ramp([3, 4], 3), mode: 'elementwise', channelAxis: 2 }).output(
      'elementwise',
    );
  },

  image_input(net) {
    const size = { height: 8, width: 6 };
    imageInput(net, 'image', { ...size, mean: [0.5, 0.25, 0.75], std: [0.5, 0.25, 2], batch: 2 }).output('y');
    imageInput(net, 'grey', { ...size, channels: 1, dtype: 'float16', batch: 2 }).output('z');
  },

  lrn(net) {
    const x = net.input('x', float32(1, 6, 2, 2));
    x.localResponseNorm({ size: 3, alpha: 0.5, beta: 0.25, k: 2 }).output('y');
    x.localResponseNorm({ size: 5 }).output('z');
  },

  assertion: {
    options: { profiles: [{ n: [1, 8, 64] }] },
    record(net) {
      const x = net.input('x', float32(2, 3));
      const n = net.input('n', int32());
      n.gt(0).assert('n is not positive');
      n.lt(100).assert('n is too large');
      x.relu().output('y');
    },
  },
};
