import type { CpuAttribute, CpuGraph, CpuValue } from '../../dsl/define-layer.js';
import { isStaticShape, type Shape } from '../../values/dim.js';

interface SameWindows {
  kernel: readonly number[];
  stride: readonly number[];
  dilation: readonly number[];
  paddingMode: string;
}

/**
 * Padding of TensorRT's `same_*` modes: as much as ⌈size / stride⌉ windows need, the odd element behind for `same_upper`.
 * The result is an attribute of ONNX's, or `pads` for its Pad if they follow from sizes that are not known. ONNX's `auto_pad`
 * does the same, but onnxruntime refuses it with a dilation, and fails where windows leave a gap between them.
 */
export function samePadding(
  g: CpuGraph,
  x: CpuValue,
  shape: Shape,
  { kernel, stride, dilation, paddingMode }: SameWindows,
): { attributes: Record<string, CpuAttribute>; pads?: CpuValue } {
  const upper = paddingMode === 'same_upper';
  const extents = kernel.map((k, i) => dilation[i]! * (k - 1) + 1);
  // With a stride of 1 the padding is the same for all sizes.
  const sizes: Shape = shape.slice(2).map((size, i) => (stride[i] === 1 ? 1 : size));
  if (isStaticShape(sizes)) {
    const totals = sizes.map((size, i) => {
      const [s, extent] = [stride[i]!, extents[i]!];
      return Math.max(0, Math.floor((size - 1) / s) * s + extent - size);
    });
    const less = totals.map((total) => Math.floor(total / 2));
    const more = totals.map((total, i) => total - less[i]!);
    return { attributes: { pads: upper ? [...less, ...more] : [...more, ...less] } };
  }
  if (dilation.every((d) => d === 1) && extents.every((extent, i) => extent >= stride[i]!)) {
    return { attributes: { auto_pad: paddingMode.toUpperCase() } };
  }
  const list = (values: readonly number[]) => g.constant('int64', [values.length], values);
  const size = g.op('Slice', [g.op('Shape', [x]), list([2]), list([shape.length])]);
  const last = g.op('Mul', [g.op('Div', [g.op('Sub', [size, list([1])]), list(stride)]), list(stride)]);
  const total = g.op('Max', [g.op('Sub', [g.op('Add', [last, list(extents)]), size]), list([0])]);
  const less = g.op('Div', [total, list([2])]);
  const more = g.op('Sub', [total, less]);
  const [before, after] = upper ? [less, more] : [more, less];
  return { attributes: {}, pads: g.op('Concat', [list([0, 0]), before, list([0, 0]), after], { axis: 0 }) };
}
