import type { Network } from '../../dsl/network.js';
import { Tensor } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { addDims, type Dim, isStatic, isStaticShape, structureOf, subDims } from '../../values/dim.js';
import type { ElementWiseOperation } from '../kinds/element_wise.js';
import { recordConstant } from './constants.js';
import { type DimLike, resolveDims } from './dim-value.js';
import { toLiteral } from './literal.js';
import { recordGather } from './record-gather.js';
import { recordKind } from './record-kind.js';
import { remember } from './remember.js';

/** The dims as an int64 tensor of rank 1, which TensorRT computes at run time from the shapes of other tensors. */
export function shapeTensor(net: Network, dims: readonly Dim[], method: string): Tensor {
  const parts: Tensor[] = [];
  for (let i = 0; i < dims.length; i++) {
    const from = i;
    while (isStatic(dims[i] ?? '')) i++;
    if (i > from) parts.push(int64(net, dims.slice(from, i) as number[], method));
    if (i < dims.length) parts.push(sizeTensor(net, dims[i]!, method));
  }
  if (parts.length === 0) return int64(net, [], method);
  if (parts.length === 1) return parts[0]!;
  return recordKind(net, 'concatenation', { method, inputs: parts, params: { axis: 0 } });
}

const int64 = (net: Network, values: readonly number[], method: string): Tensor =>
  recordConstant(net, toLiteral(BigInt64Array.from(values, BigInt), { dtype: 'int64' }, method), { method });

/** One dim as an int64 tensor of shape [1]. */
function sizeTensor(net: Network, dim: Dim, method: string): Tensor {
  if (isStatic(dim)) return int64(net, [dim], method);
  return remember(net, dim, () => {
    const source = net.tensorWithDim(dim);
    if (source) return elementOfShape(net, source, source.shape.indexOf(dim), method);
    const part = (d: Dim) => sizeTensor(net, d, method);
    const combine = (operation: ElementWiseOperation, a: Tensor, b: Tensor) =>
      recordKind(net, 'element_wise', { method, inputs: [a, b], params: { operation } });
    const structure = structureOf(dim);
    if (structure.kind === 'name') return refuse(method, 'ERR_SHAPE', `no tensor here has the dim '${dim}'`);
    if (structure.kind === 'operation') {
      const [a, b] = structure.args;
      switch (structure.op) {
        case 'floor':
          return combine('floor_div', part(a), part(b));
        case 'ceil':
          return combine('floor_div', part(subDims(addDims(a, b), 1)), part(b));
        case 'mod':
          return combine('sub', part(a), combine('prod', combine('floor_div', part(a), part(b)), part(b)));
        default:
          return combine(structure.op, part(a), part(b));
      }
    }
    const product = (size: number, factors: readonly string[]) => {
      const all = [...factors.map(part), ...(size === 1 && factors.length > 0 ? [] : [part(size)])];
      return all.reduce((a, b) => combine('prod', a, b));
    };
    // A positive term comes first, so that the others can be added or subtracted.
    const terms = structure.terms.toSorted((a, b) => Number(a.coefficient < 0) - Number(b.coefficient < 0));
    const tensors = terms.map(({ coefficient, factors }, i) =>
      product(i === 0 ? coefficient : Math.abs(coefficient), factors),
    );
    return tensors.reduce((a, b, i) => combine(terms[i]!.coefficient < 0 ? 'sub' : 'sum', a, b));
  });
}

function elementOfShape(net: Network, source: Tensor, axis: number, method: string): Tensor {
  const sizes = remember(net, `shape of ${source.id}`, () =>
    recordKind(net, 'shape', { method, inputs: [source], params: {} }),
  );
  return recordGather(sizes, [axis], 0, { method });
}

/** Sizes: whole numbers, names and expressions of dynamic dims; or a rank-1 tensor of int32 or int64. */
export type FillShape = readonly DimLike[] | Tensor;

/** Sizes as numbers if all are known, else as a tensor. */
export function sizesOf(net: Network, given: FillShape, method: string): number[] | Tensor {
  if (given instanceof Tensor) return given;
  const dims = resolveDims(net, given, 'shape', method);
  return isStaticShape(dims) ? [...dims] : shapeTensor(net, dims, method);
}
