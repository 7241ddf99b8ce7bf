import type { Tensor } from '../../dsl/tensor.js';
import { recordConstant } from './constants.js';
import { toLiteral } from './literal.js';
import type { Named } from './parameters.js';
import { recordKind } from './record-kind.js';

/** The elements at known places of an axis. */
export function recordGather(
  x: Tensor,
  indices: readonly number[],
  axis: number,
  { method, name }: Named & { method: string },
): Tensor {
  const places = recordConstant(x.network, toLiteral(Int32Array.from(indices), { dtype: 'int32' }, method), { method });
  return recordKind(x.network, 'gather', {
    method,
    name,
    inputs: [x, places],
    params: { mode: 'default', axis, elementWiseDims: 0 },
  });
}
