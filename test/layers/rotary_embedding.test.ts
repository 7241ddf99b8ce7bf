import { test } from 'vitest';
import { float32, network, type Tensor } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './rotary_embedding.cases.js';

testLayer('rotary_embedding', cases);

test('what does not fit is refused', () => {
  const net = network('rope', { x: float32('b', 2, 'n', 8), table: float32(16, 4), own: float32('b', 'n', 4) });
  const [x, table, own] = net.inputs as [Tensor, Tensor, Tensor];
  const positions = [[0, 1]];
  expectRefusal(
    () => x.rotaryEmbedding({ cos: table, sin: table }),
    'ERR_SHAPE',
    /cos: expected \[b, n, 4\], given \[16, 4\]/,
  );
  expectRefusal(
    () => x.rotaryEmbedding({ cos: own, sin: own, positions }),
    'ERR_SHAPE',
    /cos: expected \[positions, 4\]/,
  );
  expectRefusal(
    () => x.rotaryEmbedding({ cos: table, sin: table, positions: [0, 1] }),
    'ERR_SHAPE',
    /positions: expected \[b, n\]/,
  );
  expectRefusal(
    () => x.rotaryEmbedding({ cos: own, sin: own, rotaryDim: 3 }),
    'ERR_PARAMETER',
    /rotaryDim: expected an even number up to 8/,
  );
  expectRefusal(() => x.rotaryEmbedding({ cos: own, sin: own, rotaryDim: 10 }), 'ERR_PARAMETER', /rotaryDim/);
  expectRefusal(() => x.rotaryEmbedding({ cos: own.cast('float16'), sin: own }), 'ERR_DTYPE', /cos: expected float32/);
  expectRefusal(() => oneInput(2, 3).rotaryEmbedding({ cos: [[1]], sin: [[1]] }), 'ERR_RANK', /rank 4/);
  expectRefusal(
    () => oneInput(1, 1, 1, 3).rotaryEmbedding({ cos: [[[1]]], sin: [[[1]]] }),
    'ERR_SHAPE',
    /even, known size/,
  );
});

test('a dynamic size beside a known one is refused, as TensorRT does', () => {
  const net = network('rope', { x: float32('b', 2, 3, 8), one: float32(2, 3, 4), table: float32(16, 4) });
  const [x, one, table] = net.inputs as [Tensor, Tensor, Tensor];
  expectRefusal(
    () => x.rotaryEmbedding({ cos: one, sin: one }),
    'ERR_SHAPE',
    /cos: expected \[b, 3, 4\], given \[2, 3, 4\]/,
  );
  const positions = [
    [0, 1, 2],
    [0, 1, 2],
  ];
  expectRefusal(
    () => x.rotaryEmbedding({ cos: table, sin: table, positions }),
    'ERR_SHAPE',
    /positions: expected \[b, 3\]/,
  );
});
