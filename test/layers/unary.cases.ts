import type { Tensor } from '../../src/index.js';
import { int8Refused, type LayerCase } from './harness.js';

const methods: Record<string, (x: Tensor) => Tensor> = {
  exp: (x) => x.exp(),
  log: (x) => x.log(),
  sqrt: (x) => x.sqrt(),
  reciprocal: (x) => x.reciprocal(),
  abs: (x) => x.abs(),
  neg: (x) => x.neg(),
  sin: (x) => x.sin(),
  cos: (x) => x.cos(),
  tan: (x) => x.tan(),
  sinh: (x) => x.sinh(),
  cosh: (x) => x.cosh(),
  asin: (x) => x.asin(),
  acos: (x) => x.acos(),
  atan: (x) => x.atan(),
  asinh: (x) => x.asinh(),
  acosh: (x) => x.acosh(),
  atanh: (x) => x.atanh(),
  ceil: (x) => x.ceil(),
  floor: (x) => x.floor(),
  erf: (x) => x.erf(),
  sign: (x) => x.sign(),
  round: (x) => x.round(),
  isinf: (x) => x.isinf(),
  isnan: (x) => x.isnan(),
};
const integers = ['abs', 'neg', 'sign'];

export const cases: LayerCase[] = [
  ...Object.entries(methods).flatMap(([name, method]) =>
    ['', '_f16', '_bf16', ...(integers.includes(name) ? ['_i32', '_i64', '_i8'] : [])].map((suffix) => ({
      name: name + suffix,
      build: ({ x }: Record<string, Tensor>) => method(x!),
      ...(name + suffix === 'sign_i8' && { refused: int8Refused }),
      ...(['exp', 'isinf', 'neg_i64'].includes(name + suffix) && {
        dynamic: { x: name === 'isinf' ? ['n'] : ['n', suffix ? 3 : 5] },
      }),
    })),
  ),
  { name: 'not', build: ({ x }) => x!.logicalNot(), dynamic: { x: ['n', 3] } },
  { name: 'not_rank0', build: ({ x }) => x!.unary({ operation: 'not' }) },
  ...['rank0', 'size0', 'size1'].map((name) => ({ name, build: ({ x }: Record<string, Tensor>) => x!.exp() })),
];
