import { type DType, float16, float32, int8, type Network } from '../../../src/index.js';
import { type PlanCases, ramp, whole } from '../case.js';

const known = (net: Network, dtype: DType, shape: number[]) =>
  net.constant(whole(shape.reduce((a, b) => a * b)), { dtype, shape });

export const cases: PlanCases = {
  quantize: {
    options: { computeCapabilities: [120] },
    record(net) {
      const x = net.input('x', float32(2, 4));
      const half = net.input('half', float16(2, 4));
      x.quantize({ scale: 0.25 }).output('int8');
      x.quantize({ scale: [0.5, 0.25, 1, 2], axis: 1 })
        .dequantize({ scale: [0.5, 0.25, 1, 2], axis: 1 })
        .output('axis');
      half.quantize({ scale: 0.25, zeroPoint: 0 }).dequantize({ scale: 0.25, to: 'float16' }).output('float16');
      for (const to of ['int4', 'float8e4m3', 'float4e2m1'] as const)
        x.quantize({ scale: 0.5, to }).dequantize({ scale: 0.5 }).output(to);
    },
  },

  /** A constant's elements, whose axes select the scale. */
  quantize_axes(net) {
    const x = net.input('x', float32(3, 4));
    const w = net.constant(ramp([4, 2]));
    const scale = [0.5, 0.25];
    x.matmul(w.quantize({ scale, axis: 1 }).dequantize({ scale, axis: 1 })).output('columns');
    const rows = [0.5, 0.25, 1, 2];
    x.matmul(w.quantize({ scale: rows, axis: 0 }).dequantize({ scale: rows, axis: 0 })).output('rows');
  },

  dequantize(net) {
    const q = net.input('q', int8(2, 4));
    for (const to of ['float32', 'float16', 'bfloat16'] as const) q.dequantize({ scale: 0.125, to }).output(to);
  },

  dequantize_weights(net) {
    const x = net.input('x', float32(2, 4));
    x.matmul(known(net, 'int8', [4, 2]).dequantize({ scale: [0.25, 0.5], axis: 1 })).output('columns');
    x.matmul(known(net, 'int8', [4, 3]).dequantize({ scale: [0.25, 0.5, 1, 2], axis: 0 })).output('rows');
  },

  dequantize_blocks(net) {
    const x = net.input('x', float32(2, 64));
    const codes = whole(128).map((value) => Math.max(-8, Math.min(7, value)));
    const blocks = [
      [0.25, 0.5],
      [1, 2],
    ];
    const int4 = net.constant(codes, { dtype: 'int4', shape: [64, 2] });
    x.matmul(int4.dequantize({ scale: blocks })).output('inferred');
    const w = net.constant(codes, { dtype: 'int8', shape: [64, 2] });
    x.matmul(w.dequantize({ scale: blocks, blockShape: [32, 1] })).output('given');
  },

  quantize_blocks(net) {
    const x = net.input('x', float16(2, 64));
    const blocks = net.constant(ramp([2, 4], 6, 'float16'));
    const options = { scale: blocks, blockShape: [1, 16] };
    x.quantize({ ...options, to: 'float8e4m3' })
      .dequantize({ ...options, to: 'float16' })
      .output('y');
    const wide = { scale: net.constant(ramp([2, 2], 6, 'float16')), blockShape: [1, 32] };
    x.quantize(wide)
      .dequantize({ ...wide, to: 'float16' })
      .output('z');
  },

  /** 4-bit numbers need GPUs that support them. */
  dynamic_quantize: {
    options: { computeCapabilities: [120] },
    record(net) {
      const x = net.input('x', float32(32, 64));
      const doubleScale = 0.03125;
      const [q, s] = x.dynamicQuantize({ doubleScale });
      const scale = s.dequantize({ scale: doubleScale });
      q.dequantize({ scale }).output('nvfp4');
      const [r, t] = x.dynamicQuantize({ to: 'float8e4m3' });
      r.dequantize({ scale: t }).output('mxfp8');
      const [u, v] = x.dynamicQuantize({ axis: 0, doubleScale });
      u.dequantize({ scale: v.dequantize({ scale: doubleScale }) }).output('rows');
    },
  },
};
