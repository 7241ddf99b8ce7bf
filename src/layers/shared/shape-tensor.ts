import type { Network } from '../../dsl/network.js';
import type { Tensor } from '../../dsl/tensor.js';
import { addDims, type Dim, isStatic, structureOf, subDims } from '../../values/dim.js';
import { concatenation } from '../kinds/concatenation.js';
import { constantTensor } from '../kinds/constant.js';
import { type ElementWiseOperation, elementWise } from '../kinds/element_wise.js';
import { gather } from '../kinds/gather.js';
import { shape } from '../kinds/shape.js';
import { type DimLike, resolveDims } from './dim-value.js';
import { refuse } from './refuse.js';

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
  return net.record(concatenation, { method, inputs: parts, params: { axis: 0 } })[0]!;
}

const int64 = (net: Network, values: readonly number[], method: string): Tensor =>
  constantTensor(net, BigInt64Array.from(values, BigInt), 'int64', method);

/** What is computed already, as far as it may be used where the next layer is. */
const computed = new WeakMap<Network, Map<string, Tensor>>();

function remember(net: Network, key: string, make: () => Tensor): Tensor {
  const map = computed.get(net) ?? new Map<string, Tensor>();
  computed.set(net, map);
  const known = map.get(key);
  if (known && net.isOpen(known)) return known;
  const tensor = make();
  map.set(key, tensor);
  return tensor;
}

/** One dim as an int64 tensor of shape [1]. */
function sizeTensor(net: Network, dim: Dim, method: string): Tensor {
  if (isStatic(dim)) return int64(net, [dim], method);
  return remember(net, dim, () => {
    const source = net.tensorWithDim(dim);
    if (source) return elementOfShape(net, source, source.shape.indexOf(dim), method);
    const part = (d: Dim) => sizeTensor(net, d, method);
    const combine = (operation: ElementWiseOperation, a: Tensor, b: Tensor) =>
      net.record(elementWise, { method, inputs: [a, b], params: { operation } })[0]!;
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
    // A positive term comes first, so that the others are added to it or subtracted.
    const terms = structure.terms.toSorted((a, b) => Number(a.coefficient < 0) - Number(b.coefficient < 0));
    const tensors = terms.map(({ coefficient, factors }, i) =>
      product(i === 0 ? coefficient : Math.abs(coefficient), factors),
    );
    return tensors.reduce((a, b, i) => combine(terms[i]!.coefficient < 0 ? 'sub' : 'sum', a, b));
  });
}

function elementOfShape(net: Network, source: Tensor, axis: number, method: string): Tensor {
  const sizes = remember(
    net,
    `shape of ${source.id}`,
    () => net.record(shape, { method, inputs: [source], params: {} })[0]!,
  );
  const index = constantTensor(net, Int32Array.of(axis), 'int32', method);
  return net.record(gather, {
    method,
    inputs: [sizes, index],
    params: { mode: 'default', axis: 0, elementWiseDims: 0 },
  })[0]!;
}

const methods = {
  /**
   * Sizes as an int64 tensor of shape [n], to compute with at run time: `net.dims([x.dim(0).mul(2), 3])`. Dynamic dims are
   * taken from the shapes of other tensors. TensorRT kinds: shape, gather, element_wise, concatenation, constant.
   * @throws ERR_SHAPE for what is no dim, or has a name that no tensor here has
   */
  dims(this: Network, dims: readonly DimLike[]): Tensor {
    return shapeTensor(this, resolveDims(this, dims, 'dims', 'dims', -(2 ** 31)), 'dims');
  },
};

export { methods as shapeTensorMethods };
export type ShapeTensorMethods = typeof methods;
