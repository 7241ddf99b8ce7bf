import { describe, expect, test } from 'vitest';
import { atSizes, checkCase, elementsOf, type PluginCase } from '../../src/testing/cases.js';
import { edgesOf } from '../../src/testing/edges.js';
import { refusal } from '../refusal.js';

const shapesOf = (one: PluginCase, blocks: number[] = []) =>
  edgesOf(one, 0, blocks).map((edge) =>
    'made' in edge ? [edge.what, Object.values(edge.made.inputs).map(({ shape }) => shape)] : [edge.what, edge.why],
  );

describe('edges of a case', () => {
  test('named sizes are 0, 1 and no multiple of the blocks, wherever they stand', () => {
    const one = { inputs: { x: ['n', 37], y: [3, 'n'] }, sizes: { n: 64 } };
    expect(shapesOf(one, [32, 256])).toEqual([
      [
        'n = 0',
        [
          [0, 37],
          [3, 0],
        ],
      ],
      [
        'n = 1',
        [
          [1, 37],
          [3, 1],
        ],
      ],
      [
        'n = 257',
        [
          [257, 37],
          [3, 257],
        ],
      ],
    ]);
  });

  test('without names, equal sizes change together', () => {
    expect(shapesOf({ inputs: { x: [4, 37], gamma: [37] } }, [32])).toEqual([
      ['0 in place of 4', [[0, 37], [37]]],
      ['1 in place of 4', [[1, 37], [37]]],
      ['33 in place of 4', [[33, 37], [37]]],
      ['0 in place of 37', [[4, 0], [0]]],
      ['1 in place of 37', [[4, 1], [1]]],
    ]);
  });

  test('a multiple of a block, or less than one, is tried above it', () => {
    const last = (n: number, blocks: number[]) => shapesOf({ inputs: { x: ['n'] }, sizes: { n } }, blocks).at(-1)![0];
    expect(last(64, [32])).toBe('n = 33');
    expect(last(31, [32])).toBe('n = 33');
    expect(last(64, [32, 33])).toBe('n = 34');
    expect(last(65, [32])).toBe('n = 1');
    expect(last(65, [1])).toBe('n = 1');
  });

  test('a size that is an edge already is not repeated', () => {
    expect(shapesOf({ inputs: { x: [1] } }).map(([what]) => what)).toEqual(['0 in place of 1']);
    expect(shapesOf({ inputs: { x: [0] } }).map(([what]) => what)).toEqual(['1 in place of 0']);
  });

  test('what cannot be made is said', () => {
    const given = shapesOf({ inputs: { x: { shape: [2], data: [1, 2] } } });
    expect(given[0]).toEqual(['0 in place of 2', expect.stringMatching(/elements of 'x' are given/)]);
    const large = shapesOf({ inputs: { x: ['n', 2 ** 20] }, sizes: { n: 2 } }, [64]);
    expect(large.at(-1)).toEqual(['n = 65', expect.stringMatching(/'x' would have 68157440 elements/)]);
  });

  test('names reach shape inputs, numbers there are no sizes', () => {
    const one: PluginCase = { inputs: { x: ['n'] }, shapeInputs: { size: ['n', 5], k: 2 }, sizes: { n: 2 } };
    const [zero] = edgesOf(one, 0, []);
    expect(zero).toMatchObject({ made: { shapeInputs: { size: [0, 5], k: 2 } } });
    const plain = edgesOf({ inputs: { x: [2] }, shapeInputs: { size: [2, 5] } }, 0, []);
    expect(plain[0]).toMatchObject({ made: { inputs: { x: { shape: [0] } }, shapeInputs: { size: [2, 5] } } });
  });
});

describe('a case', () => {
  test('has its elements, or random ones in its range', () => {
    const one = atSizes(
      {
        inputs: { x: { shape: [2], data: [1.5, 2] }, i: { shape: [50], range: [3, 4] } },
        shapeInputs: { s: [7n as never] },
      },
      0,
    );
    const fed = elementsOf(one, { x: 'float16', i: 'int32', s: 'int64' }, 1);
    expect(fed.x).toMatchObject({ dtype: 'float16', shape: [2], data: Uint16Array.of(0x3e00, 0x4000) });
    expect(new Set(Array.from(fed.i!.data as Int32Array))).toEqual(new Set([3, 4]));
    expect(fed.s).toMatchObject({ shape: [1], data: BigInt64Array.of(7n) });
  });

  test.each([
    [null, /expected \{ inputs: \{ … \} \}, given null/],
    [{ input: {} }, /expected \{ inputs/],
    [{ inputs: {}, atributes: {} }, /no 'atributes'; there are name, inputs/],
    [{ inputs: { x: 4 } }, /input 'x': expected sizes or \{ shape, … \}, given 4/],
    [{ inputs: { x: ['n'] } }, /sizes has no value for 'n'/],
    [{ inputs: { x: [1.5] } }, /whole numbers and names of sizes, given 1.5/],
    [{ inputs: { x: ['n'] }, sizes: { n: 'a' } }, /given 'n'/],
  ])('that is none is refused: %j', (one, message) => {
    const error = refusal(() => checkCase(one as never, 0));
    expect(error.code).toBe('ERR_PARAMETER');
    expect(error.message).toMatch(message);
  });

  test('whose elements do not fit its shape is refused', () => {
    const one = atSizes({ inputs: { x: { shape: [2, 2], data: [1] } } }, 3);
    expect(refusal(() => elementsOf(one, { x: 'float32' }, 1)).message).toMatch(
      /case 3: input 'x' \[2, 2\] has 4 elements, given 1/,
    );
  });
});
