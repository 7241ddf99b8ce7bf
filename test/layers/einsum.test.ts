import { expect, test } from 'vitest';
import { einsum, float16, float32, int32, network, type Tensor } from '../../src/index.js';
import { cases } from './einsum.cases.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';

testLayer('einsum', cases);

test('what does not fit is refused', () => {
  const x = oneInput(2, 3);
  expectRefusal(() => x.einsum('IJ->I'), 'ERR_PARAMETER', /lower case, given IJ->I/);
  expectRefusal(() => x.einsum('ij->k'), 'ERR_PARAMETER', /'k' twice in its result, or in no tensor/);
  expectRefusal(() => x.einsum('ij->ii'), 'ERR_PARAMETER', /'i' twice/);
  expectRefusal(() => x.einsum('ijk->i'), 'ERR_RANK', /'ijk' names 3 axes, the tensor has 2/);
  expectRefusal(() => x.einsum('i->i'), 'ERR_RANK', /'i' names 1 axes/);
  expectRefusal(() => x.einsum('ij,jk->ik'), 'ERR_INPUT', /expected 2 tensors/);
  expectRefusal(() => x.einsum('ij,jk->ik', [[1], [2]]), 'ERR_SHAPE', /'j' is 3 and, in \[2, 1\], 2/);
  expectRefusal(() => x.einsum('ii->i'), 'ERR_SHAPE', /'i' is 2/);
  expectRefusal(() => einsum('ij->i', [[1, 2]]), 'ERR_INPUT', /at least one tensor of a network/);
  expectRefusal(() => einsum('ij->i', x as never), 'ERR_INPUT', /list of tensors/);
  expectRefusal(() => network('i', { x: int32(2, 3) }).einsum('ij->i'), 'ERR_DTYPE', /int32/);
  const net = network('mixed', { a: float32(2), b: float16(2) });
  const [a, b] = net.inputs as [Tensor, Tensor];
  expectRefusal(() => a.einsum('i,i->', b), 'ERR_DTYPE', /tensor 1: expected float32.*given float16/);
});

test('an ellipsis takes free letters, counted from the last axis', () => {
  const net = network('ellipsis', { a: float32('n', 2, 3, 4), b: float32(2, 4, 5) });
  const [a, b] = net.inputs as [Tensor, Tensor];
  expect(a.einsum('...ij,...jk', b).shape).toEqual(['n', 2, 3, 5]);
  expect(net.graph.nodes[0]!.params).toEqual({ equation: 'abij,bjk->abik' });
});
