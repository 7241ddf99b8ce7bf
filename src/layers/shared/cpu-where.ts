import type { CpuGraph, CpuValue } from '../../dsl/define-layer.js';
import type { DType } from '../../values/dtype.js';

/** `a` where `condition` is true, else `b`: onnxruntime has no Where for bool and int8. */
export function cpuWhere(g: CpuGraph, condition: CpuValue, a: CpuValue, b: CpuValue, dtype: DType): CpuValue {
  if (dtype === 'int8') return g.cast(g.op('Where', [condition, g.cast(a, 'int32'), g.cast(b, 'int32')]), 'int8');
  if (dtype !== 'bool') return g.op('Where', [condition, a, b]);
  return g.op('Or', [g.op('And', [condition, a]), g.op('And', [g.op('Not', [condition]), b])]);
}
