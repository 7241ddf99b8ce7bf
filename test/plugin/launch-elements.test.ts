import { expect, test } from 'vitest';
import { float32, int32, network, type Tensor } from '../../src/index.js';
import { launchElements } from '../../src/plugin/launch-elements.js';
import { define, recipeIn } from './definitions.js';

// biome-ignore lint/suspicious/noExplicitAny: rules of any kind
type Any = any;

const base = { kernel: 'k', grid: 1, block: 1, args: [] };

/** The elements of `s` that launches depend on, for rules over x of [n] and s of 8. */
function elements(rules: Any): number[] {
  const net = network('elements', { x: float32('n'), s: int32(8) });
  const [x, s] = net.inputs as [Tensor, Tensor];
  const made = define({
    shapeInputs: ['s'],
    types: [{ x: 'float32', s: 'int32', y: 'float32', count: 'int32' }],
    outputs: ({ s: { values } }: Any) => ({ y: [values[0]], count: [] }),
    launch: () => [base],
    ...rules,
  });
  net.plugin(made, { x, s } as never);
  return launchElements(recipeIn(net)).map(({ element }) => element);
}

const launch = (step: (context: Any) => object) => ({ launch: (context: Any) => [{ ...base, ...step(context) }] });

test.each<[string, Any, number[]]>([
  ['none, where outputs alone depend on one', {}, []],
  ['a grid', launch(({ s, mul, x }) => ({ grid: [1, mul(x.size, s.values[1]), s.values[2]] })), [1, 2]],
  ['a block', launch(({ s }) => ({ block: [1, 1, s.values[3]] })), [3]],
  ['shared memory', launch(({ s, add }) => ({ sharedMemory: add(s.values[4], s.values[5]) })), [4, 5]],
  [
    'an integer and a float',
    launch(({ s, int32: i, float32: f }) => ({ args: [i(s.values[6]), f(s.values[7])] })),
    [6, 7],
  ],
  ['the workspace', { workspace: ({ s }: Any) => s.values[1] }, [1]],
  [
    'an address in it',
    { workspace: () => 64, ...launch(({ s, workspace }) => ({ args: [workspace.at(s.values[2])] })) },
    [2],
  ],
  ['the bytes of a fill', { launch: ({ y }: Any) => [{ fill: y, value: 0 }, base] }, [0]],
  [
    'where a fill begins',
    {
      workspace: () => 64,
      launch: ({ s, workspace }: Any) => [{ fill: workspace.at(s.values[3]), value: 0, bytes: 1 }, base],
    },
    [3],
  ],
  [
    'the upper bound of a size that the kernel writes',
    {
      outputs: ({ s, sizeTensor, add }: Any) => ({
        y: [add(sizeTensor('count', { opt: s.values[1], upper: s.values[2] }), s.values[3])],
      }),
    },
    [2, 3],
  ],
  [
    'one of a second tactic',
    { tactics: [{ at: 4 }, { at: 5 }], launch: ({ s }: Any, { at }: Any) => [{ ...base, grid: s.values[at] }] },
    [4, 5],
  ],
])('%s', (_, rules, expected) => {
  expect(elements(rules).sort()).toEqual(expected);
});
