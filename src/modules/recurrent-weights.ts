import { Tensor } from '../dsl/tensor.js';
import { refuse } from '../errors/refusal.js';
import { formatShape, isStatic } from '../values/dim.js';
import { dtypeOf, type HalfArray, isTypedArray, type TypedArray, withoutHalves } from '../values/dtype.js';
import { originOf, recipeOf, stepOf } from '../values/recipe.js';
import { isWeightLike, type WeightLike, withShape } from '../values/weight.js';

/** A matrix or a bias: known weights, or a tensor. */
export type RecurrentWeight = WeightLike | TypedArray | HalfArray | Tensor;

/**
 * Weights by PyTorch's names: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `weight_hr_l0`; layer 1 has `_l1`,
 * and the backward direction appends `_reverse`. A cell's names have no `_l0`.
 */
export type RecurrentWeights = {
  [name in `weight_${string}` | `bias_${string}`]?: RecurrentWeight;
};

/** One layer in one direction. */
export interface Cell {
  /** [gates · hidden, input], or transposed. */
  ih: WeightLike | Tensor;
  /** [gates · hidden, state], or transposed. */
  hh: WeightLike | Tensor;
  biasIh?: RecurrentWeight;
  biasHh?: RecurrentWeight;
  /** [projected, hidden] */
  hr?: WeightLike | Tensor;
  /** Whether the inputs of `ih` and `hh` are along axis 0. */
  transposed: boolean;
  /** Number of hidden units. */
  size: number;
}

type Matrix = WeightLike | Tensor;

function matrix(weights: Record<string, unknown>, name: string, method: string): Matrix {
  const given = weights[name];
  if (!(given instanceof Tensor) && !isWeightLike(given)) {
    return refuse(method, 'ERR_INPUT', `expected a weight or a tensor of rank 2, given ${String(given)}`, {
      option: name,
    });
  }
  if (given.shape.length !== 2) {
    refuse(method, 'ERR_RANK', `expected rank 2, given ${formatShape(given.shape)}`, { option: name });
  }
  return given;
}

function bias(weights: Record<string, unknown>, name: string, method: string): RecurrentWeight | undefined {
  const given = weights[name];
  if (given === undefined || given instanceof Tensor || isWeightLike(given) || isTypedArray(given)) return given;
  return refuse(method, 'ERR_INPUT', `expected a weight, a typed array or a tensor, given ${String(given)}`, {
    option: name,
  });
}

/** The number of hidden units, from the total size of all gates. */
function sizeOf(rows: unknown, gates: number, name: string, method: string): number {
  if (typeof rows === 'number' && rows > 0 && rows % gates === 0) return rows / gates;
  return refuse(method, 'ERR_SHAPE', `expected a multiple of ${gates} gates, given ${String(rows)}`, { option: name });
}

function requireSize(given: unknown, expected: number, name: string, shape: Matrix['shape'], method: string): void {
  if (typeof given === 'string' || given === expected) return;
  refuse(method, 'ERR_SHAPE', `expected ${expected} along this layer's axis, given ${formatShape(shape)}`, {
    option: name,
    expected,
    actual: given,
  });
}

/** PyTorch's layout. */
function cellOf(weights: Record<string, unknown>, suffix: string, gates: number, method: string): Cell {
  const name = (role: string) => `${role}${suffix}`;
  const [ih, hh] = [matrix(weights, name('weight_ih'), method), matrix(weights, name('weight_hh'), method)];
  const hr = weights[name('weight_hr')] === undefined ? undefined : matrix(weights, name('weight_hr'), method);
  const size = sizeOf(ih.shape[0], gates, name('weight_ih'), method);
  requireSize(hh.shape[0], gates * size, name('weight_hh'), hh.shape, method);
  if (hr) requireSize(hr.shape[1], size, name('weight_hr'), hr.shape, method);
  const state = hr?.shape[0] ?? size;
  if (isStatic(state)) requireSize(hh.shape[1], state, name('weight_hh'), hh.shape, method);
  const [biasIh, biasHh] = [bias(weights, name('bias_ih'), method), bias(weights, name('bias_hh'), method)];
  return { ih, hh, ...(biasIh && { biasIh }), ...(biasHh && { biasHh }), ...(hr && { hr }), transposed: false, size };
}

/** Cells by layer and direction, after checking that every name is used. */
export function cellsOf(options: object, gates: number, method: string): Cell[][] {
  const weights = options as Record<string, unknown>;
  const names = Object.keys(weights).filter(
    (name) => /^(weight|bias)_[ih][hr]/.test(name) && weights[name] !== undefined,
  );
  const known = new Set<string>();
  const has = (suffix: string) => names.includes(`weight_ih${suffix}`);
  const cells: Cell[][] = [];
  const add = (suffixes: readonly string[]) => {
    for (const suffix of suffixes) {
      for (const role of ['weight_ih', 'weight_hh', 'weight_hr', 'bias_ih', 'bias_hh']) known.add(role + suffix);
    }
    cells.push(suffixes.map((suffix) => cellOf(weights, suffix, gates, method)));
  };
  if (has('')) add(['']);
  const directions = has('_l0_reverse') ? ['', '_reverse'] : [''];
  for (let layer = 0; has(`_l${layer}`); layer++) add(directions.map((direction) => `_l${layer}${direction}`));
  const odd = names.find((name) => !known.has(name));
  if (cells.length === 0 || odd !== undefined) {
    const expected = 'weight_ih_l0, weight_hh_l0 and so on, without gaps';
    refuse(method, 'ERR_WEIGHTS_NAME', `expected ${expected}, given ${names.join(', ') || 'none'}`, { actual: odd });
  }
  return cells;
}

/** TensorFlow's and Keras's layout. */
export interface KernelOptions {
  /**
   * TensorFlow's and Keras's layout instead of PyTorch's: [input, gates · hidden] with `recurrentKernel`; without it
   * [input + hidden, gates · hidden], input rows first, as in TensorFlow 1 and sampleCharRNN.
   */
  kernel?: WeightLike | Tensor | undefined;
  /** Kernel of the state, used with `kernel`: [hidden, gates · hidden]. */
  recurrentKernel?: WeightLike | Tensor | undefined;
  /** Used with `kernel`: [gates · hidden]. */
  bias?: RecurrentWeight | undefined;
}

const shapeOf = (value: RecurrentWeight): Matrix['shape'] =>
  value instanceof Tensor || isWeightLike(value) ? value.shape : [value.length];

/** Rows `from` to `to` of known elements. */
function rowsOf(weight: WeightLike, from: number, to: number, role: string): WeightLike {
  const [rows, ...rest] = weight.shape as [number, ...number[]];
  const data = withoutHalves(weight.data);
  const dtype = weight.dtype ?? dtypeOf(weight.data);
  const perRow = data.length / rows;
  const part = data.subarray(from * perRow, to * perRow);
  const recipe = recipeOf(weight);
  const origin = originOf(recipe && stepOf('slice', { weight: recipe }, { axis: 0, from, to }), part);
  return {
    ...(origin && { origin }),
    ...(weight.name && { name: `${weight.name}.${role}` }),
    ...(dtype !== undefined && { dtype }),
    ...(weight.check && { check: () => weight.check!() }),
    shape: [to - from, ...rest],
    data: part,
  };
}

const flat = (row: WeightLike): WeightLike => ({ ...row, ...withShape(row, row.shape.slice(1)) });

/** A cell from kernels; if `biases` is 2, the bias has one row for the input and one for the state. */
export function cellOfKernel(options: KernelOptions, gates: number, method: string, biases: 1 | 2 = 1): Cell {
  const weights = options as Record<string, unknown>;
  const kernel = matrix(weights, 'kernel', method);
  const size = sizeOf(kernel.shape[1], gates, 'kernel', method);
  const given = bias(weights, 'bias', method);
  const expected = biases === 1 ? [gates * size] : [2, gates * size];
  if (given && String(shapeOf(given)) !== String(expected)) {
    refuse(method, 'ERR_SHAPE', `expected ${formatShape(expected)}, given ${formatShape(shapeOf(given))}`, {
      option: 'bias',
      expected,
      actual: shapeOf(given),
    });
  }
  const row = (i: number, role: string): RecurrentWeight | undefined =>
    given instanceof Tensor ? given.select(0, i) : flat(rowsOf(given as WeightLike, i, i + 1, role));
  const [biasIh, biasHh] = biases === 1 || !given ? [given] : [row(0, 'ih'), row(1, 'hh')];
  return {
    ...matricesOf(kernel, weights, gates * size, size, method),
    ...(biasIh && { biasIh }),
    ...(biasHh && { biasHh }),
    transposed: true,
    size,
  };
}

function matricesOf(
  kernel: Matrix,
  weights: Record<string, unknown>,
  columns: number,
  size: number,
  method: string,
): Pick<Cell, 'ih' | 'hh'> {
  if (weights.recurrentKernel !== undefined) {
    const hh = matrix(weights, 'recurrentKernel', method);
    requireSize(hh.shape[0], size, 'recurrentKernel', hh.shape, method);
    requireSize(hh.shape[1], columns, 'recurrentKernel', hh.shape, method);
    return { ih: kernel, hh };
  }
  if (kernel instanceof Tensor) {
    return refuse(method, 'ERR_INPUT', 'expected a weight, or recurrentKernel beside it, given a tensor', {
      option: 'kernel',
    });
  }
  const rows = kernel.shape[0]!;
  if (rows <= size) {
    refuse(method, 'ERR_SHAPE', `expected more than ${size} rows, given ${formatShape(kernel.shape)}`, {
      option: 'kernel',
    });
  }
  return { ih: rowsOf(kernel, 0, rows - size, 'ih'), hh: rowsOf(kernel, rows - size, rows, 'hh') };
}
