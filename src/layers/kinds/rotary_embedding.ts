import { z } from 'zod';
import { type CpuGraph, type CpuValue, defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { type Dim, formatShape, isStatic, type Shape } from '../../values/dim.js';
import { DimValue } from '../shared/dim-value.js';
import { floats, indexTypes, requireDType } from '../shared/dtypes.js';
import { constantTensor } from '../shared/lift.js';
import type { ConstantData } from '../shared/literal.js';
import { type Named, nonNegative } from '../shared/parameters.js';
import { remember } from '../shared/remember.js';
import { requireRank } from '../shared/shapes.js';

/** TensorRT refuses a dynamic size paired with a known one. */
const isSame = (a: Dim, b: Dim): boolean => a === b || !(isStatic(a) || isStatic(b));

/** Inputs: the tensor, cosines, sines, and positions if cosines and sines are tables. */
export const rotaryEmbedding = defineLayer({
  kind: 'rotary_embedding',
  params: z.strictObject({ interleaved: z.boolean(), rotaryDim: nonNegative }),
  infer({ input, inputs, params: { rotaryDim }, fail }) {
    const [{ dtype, shape }, cos, sin] = [input(0), input(1), input(2)];
    requireDType(dtype, floats, fail);
    requireRank(shape, 4, 4, fail);
    const [batch, , tokens, size] = shape as readonly [Dim, Dim, Dim, Dim];
    if (!isStatic(size) || size % 2 !== 0)
      fail('ERR_SHAPE', `expected an even, known size of the heads, given ${formatShape(shape)}`);
    if (rotaryDim % 2 !== 0 || rotaryDim > (size as number)) {
      fail('ERR_PARAMETER', `expected an even number up to ${size}, given ${rotaryDim}`, {
        option: 'rotaryDim',
        actual: rotaryDim,
      });
    }
    const half = (rotaryDim || (size as number)) / 2;
    const positions = inputs[3];
    const expected = positions ? ['positions', half] : [batch, tokens, half];
    const fits = (given: Shape, wanted: Shape, free = -1) =>
      given.length === wanted.length && given.every((dim, i) => i === free || isSame(dim, wanted[i]!));
    for (const [what, table] of Object.entries({ cos, sin })) {
      if (table.dtype !== dtype)
        fail('ERR_DTYPE', `expected ${dtype}, as the input has, given ${table.dtype}`, { option: what });
      if (!fits(table.shape, expected, positions ? 0 : -1)) {
        fail('ERR_SHAPE', `expected ${formatShape(expected)}, given ${formatShape(table.shape)}`, {
          option: what,
          expected,
          actual: table.shape,
        });
      }
    }
    if (positions) {
      requireDType(positions.dtype, indexTypes, fail, 'positions');
      const wanted = [batch, tokens];
      if (!fits(positions.shape, wanted))
        fail('ERR_SHAPE', `expected ${formatShape(wanted)}, given ${formatShape(positions.shape)}`, {
          option: 'positions',
        });
    }
    return { dtype, shape };
  },
  cpu(g, { input, inputs, inputTypes, outputTypes, params: { interleaved, rotaryDim } }) {
    const size = inputTypes[0]!.shape[3] as number;
    const turned = rotaryDim || size;
    const half = turned / 2;
    const x = g.cast(input(0), 'float32');
    const positions = inputs[3];
    const [cos, sin] = [1, 2].map((i) => {
      const table = g.cast(input(i), 'float32');
      const rows = positions ? g.op('Gather', [table, positions], { axis: 0 }) : table;
      return g.op('Unsqueeze', [rows, g.constant('int64', [1], [1])]);
    }) as [CpuValue, CpuValue];
    const places = Array.from(
      { length: half },
      (_, i) => (interleaved ? [2 * i, 2 * i + 1] : [i, i + half]) as [number, number],
    );
    const first = pick(
      g,
      x,
      places.map(([a]) => a),
    );
    const second = pick(
      g,
      x,
      places.map(([, b]) => b),
    );
    const mul = (a: CpuValue, b: CpuValue) => g.op('Mul', [a, b]);
    const parts = [
      g.op('Sub', [mul(first, cos), mul(second, sin)]),
      g.op('Add', [mul(second, cos), mul(first, sin)]),
      ...(turned < size
        ? [
            pick(
              g,
              x,
              Array.from({ length: size - turned }, (_, i) => turned + i),
            ),
          ]
        : []),
    ];
    const joined = g.op('Concat', parts, { axis: 3 });
    const order = Array.from({ length: size }, (_, i) =>
      i < turned && interleaved ? (i % 2) * half + Math.floor(i / 2) : i,
    );
    return g.cast(interleaved ? pick(g, joined, order) : joined, outputTypes[0]!.dtype);
  },
});

/** Elements of the last axis. */
const pick = (g: CpuGraph, x: CpuValue, index: readonly number[]): CpuValue =>
  g.op('Gather', [x, g.constant('int64', [index.length], index)], { axis: 3 });

export interface RotaryEmbeddingOptions extends Named {
  /**
   * Cosines of the angles: [batch, tokens, rotaryDim / 2], where a batch of 1 serves any other, or with `positions` a table
   * [positions, rotaryDim / 2].
   */
  cos: Tensor | ConstantData;
  /** Sines of the angles, as `cos`. */
  sin: Tensor | ConstantData;
  /** Rows of the tables, int32 or int64 [batch, tokens], where a batch of 1 serves any other. */
  positions?: Tensor | ConstantData | undefined;
  /** Whether neighbours are turned together (GPT-J) instead of the two halves (GPT-NeoX, Llama in transformers). Default false. */
  interleaved?: boolean | undefined;
  /** How many of the first elements of each head are turned; even. Default: all. */
  rotaryDim?: number | undefined;
}

/** Repeats a batch of 1 for the input's, since TensorRT takes none that differs. Layers that share a table share the result. */
function overBatch(table: Tensor, rank: number, x: Tensor): Tensor {
  const batch = x.shape[0];
  if (batch === undefined || batch === 1 || table.rank !== rank || table.shape[0] !== 1) return table;
  const dims = [new DimValue(batch), ...Array<number>(rank - 1).fill(-1)];
  return remember(x.network, `${table.id} over ${batch}`, () => table.expand(dims));
}

const methods = {
  /**
   * Rotary position embedding (Su et al., 2021): rotates pairs of elements of every head by an angle, (a, b) to (a·cos
   * − b·sin, b·cos + a·sin). [batch, heads, tokens, size] of float32, float16, bfloat16. Before TensorRT 10.15 it is
   * made from gather and multiplications. TensorRT kind: rotary_embedding.
   *
   * @throws ERR_SHAPE, ERR_RANK, ERR_DTYPE, ERR_PARAMETER
   */
  rotaryEmbedding(this: TensorSource, options: RotaryEmbeddingOptions): Tensor {
    const method = 'rotaryEmbedding';
    const x = this.tensor();
    const { cos, sin, positions, interleaved = false, rotaryDim = 0, name } = options;
    const given = [cos, sin].map((table) => constantTensor(x.network, table, x.dtype, method));
    const at = positions === undefined ? null : constantTensor(x.network, positions, 'int64', method);
    const inputs = at ? [...given, overBatch(at, 2, x)] : given.map((table) => overBatch(table, 3, x));
    return x.network.record(rotaryEmbedding, {
      method,
      name,
      inputs: [x, ...inputs],
      params: { interleaved, rotaryDim },
    })[0]!;
  },
};

export { methods as rotaryEmbeddingMethods };
export type RotaryEmbeddingMethods = typeof methods;
