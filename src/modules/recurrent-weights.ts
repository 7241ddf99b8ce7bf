import { formatShape, isStatic } from '../dsl/dim.js';
import { isTypedArray, type TypedArray } from '../dsl/dtype.js';
import { Tensor } from '../dsl/tensor.js';
import { isWeightLike, type WeightLike } from '../dsl/weight.js';
import { refuse } from '../layers/common.js';

/** A matrix or a bias: known weights, or a tensor. */
export type RecurrentWeight = WeightLike | TypedArray | Tensor;

/**
 * Weights by PyTorch's names: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `weight_hr_l0`, for layer 1 with
 * `_l1`, for the backward direction with `_reverse` behind. Of a cell: without `_l0`.
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
  /** Whether `ih` and `hh` have their inputs along axis 0. */
  transposed: boolean;
  /** Number of hidden units. */
  size: number;
}

type Matrix = WeightLike | Tensor;

function matrix(weights: Record<string, unknown>, name: string, method: string): Matrix {
  const given = weights[name];
  if (!(given instanceof Tensor) && !isWeightLike(given)) {
    return refuse(method, 'ERR_INPUT', `${name}: expected a weight or a tensor of rank 2, given ${String(given)}`);
  }
  if (given.shape.length !== 2) {
    refuse(method, 'ERR_RANK', `${name}: expected rank 2, given ${formatShape(given.shape)}`);
  }
  return given;
}

function bias(weights: Record<string, unknown>, name: string, method: string): RecurrentWeight | undefined {
  const given = weights[name];
  if (given === undefined || given instanceof Tensor || isWeightLike(given) || isTypedArray(given)) return given;
  return refuse(method, 'ERR_INPUT', `${name}: expected a weight, a typed array or a tensor, given ${String(given)}`);
}

/** The number of hidden units, from the size that all gates have together. */
function sizeOf(rows: unknown, gates: number, name: string, method: string): number {
  if (typeof rows === 'number' && rows > 0 && rows % gates === 0) return rows / gates;
  return refuse(method, 'ERR_SHAPE', `${name}: expected a multiple of ${gates} gates, given ${String(rows)}`);
}

function requireSize(given: unknown, expected: number, name: string, shape: Matrix['shape'], method: string): void {
  if (typeof given === 'string' || given === expected) return;
  refuse(method, 'ERR_SHAPE', `${name}: expected ${expected} along this layer's axis, given ${formatShape(shape)}`, {
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

/** Cells by layer and direction, all names used. */
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

/** TensorFlow's layout: one kernel [input + hidden, gates · hidden], the rows of the input above those of the state. */
export function cellOfKernel(kernel: unknown, given: unknown, gates: number, method: string): Cell {
  if (!isWeightLike(kernel) || kernel.shape.length !== 2) {
    return refuse(method, 'ERR_INPUT', `kernel: expected a weight of rank 2, given ${String(kernel)}`);
  }
  const [rows, columns] = kernel.shape as [number, number];
  const size = sizeOf(columns, gates, 'kernel', method);
  const inputs = rows - size;
  if (inputs <= 0)
    refuse(method, 'ERR_SHAPE', `kernel: expected more than ${size} rows, given ${formatShape(kernel.shape)}`);
  const perRow = kernel.data.length / rows;
  const part = (from: number, to: number, role: string): WeightLike => ({
    ...(kernel.name && { name: `${kernel.name}.${role}` }),
    ...(kernel.dtype !== undefined && { dtype: kernel.dtype }),
    ...(kernel.check && { check: () => kernel.check!() }),
    shape: [to - from, columns],
    data: kernel.data.subarray(from * perRow, to * perRow),
  });
  const biasIh = bias({ bias: given }, 'bias', method);
  return { ih: part(0, inputs, 'ih'), hh: part(inputs, rows, 'hh'), ...(biasIh && { biasIh }), transposed: true, size };
}
