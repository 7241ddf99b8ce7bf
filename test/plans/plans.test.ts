import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { float32, network } from '../../src/index.js';
import { readElfConstant } from '../../src/machine/elf.js';
import { binding } from '../../src/tensorrt/binding.js';
import { chooseTensorRT } from '../../src/tensorrt/library/find.js';
import { cases } from './all.js';
import { type Recorded, recordCase } from './case.js';
import { Coverage } from './coverage.js';

// TensorRT-RTX makes the same plan wherever it is told the same: NVIDIA's own bindings and we make one file, byte for byte.

const read = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
const { bindings, plans } = read('fixtures/plans.json') as { bindings: string; plans: Record<string, string[]> };
const names = read('fixtures/names.json') as Record<string, [string, string[]][]>;

const { path, version } = await chooseTensorRT({ for: 'build', library: 'rtx1' });
const build = await readElfConstant(path, 'getInferLibBuildVersion').catch(() => ({ value: null }));
const release = build.value === null ? version : `${version}.${build.value}`;
const isSame = `${bindings}.`.startsWith(`${release}.`);

const coverage = new Coverage();
afterAll(() => binding().traceCalls(false));

async function hashOf(recorded: Recorded): Promise<string> {
  using engine = await recorded.build();
  return createHash('sha256').update(engine.bytes).digest('hex');
}

/** Why a plan differs, as far as that can be told. */
async function explain(name: string, recorded: Recorded): Promise<string> {
  const { layers } = (await recorded.check()).names;
  const ours = layers.map((layer) => [layer.name, layer.outputs]);
  if (JSON.stringify(ours) !== JSON.stringify(names[name]))
    return `layers have other names or another order than in names.json. Where that is meant: npm run plans`;
  if (name === 'canary') return 'TensorRT folds constants otherwise here than where the plans were made';
  return `TensorRT was told something else here than by NVIDIA's bindings in test/plans/fixtures`;
}

test('net.check() names the parts of loops in the order in which they were added', async () => {
  const net = network('parts', { x: float32(4, 3) });
  const { state, outputs } = net.loop(
    { state: { h: net.constant([1, 2, 3], { dtype: 'float32' }) }, iterate: { x: net.tensor() }, name: 'L' },
    ({ h, x }) => ({ state: { h: h.add(x) }, outputs: { all: h } }),
  );
  state.h.output('last');
  outputs.all.output('all');
  const { names, layers } = await net.check({ library: 'rtx1' });
  const loop = ['L/count', 'L/state0', 'L/slice0', 'L.element_wise', 'L/output0', 'L/output1'];
  expect(names.inputs).toEqual(['x']);
  expect(names.layers.map((layer) => layer.name)).toEqual(['constant', 'L.constant', ...loop]);
  expect(names.layers.map((layer) => layer.outputs).slice(2)).toEqual([
    [],
    ['L/state0'],
    ['L/slice0'],
    ['L.element_wise'],
    ['last'],
    ['all'],
  ]);
  expect(names.outputs).toEqual(['last', 'all']);
  expect(layers.map((layer) => layer.name)).toEqual(['constant', 'L.constant', 'L.element_wise', 'L', 'L']);
});

test('cases are described on both sides', () => {
  const own = Object.keys(cases).sort();
  const advice = 'describe the case in test/plans/fixtures, too, then: npm run plans';
  expect(Object.keys(plans).sort(), advice).toEqual(own);
  expect(Object.keys(names).sort(), advice).toEqual(own);
});

describe('a plan is the one that NVIDIA’s bindings make', () => {
  test.for(Object.keys(cases))('%s', async (name, { skip }) => {
    if (!isSame) skip(`TensorRT-RTX ${release} is loaded, the plans are of ${bindings}`);
    const recorded = recordCase(name, cases[name]!);
    binding().traceCalls(true);
    // Chance may decide between a few plans of one network, above all where shapes are dynamic: NVIDIA's were found in 16 builds.
    for (let tries = 8; !plans[name]!.includes(await hashOf(recorded)); tries--) {
      if (tries === 1) expect.fail(await explain(name, recorded));
    }
    const { calls, enumerators } = binding().traced();
    coverage.add(calls, enumerators, recorded.net.graph.nodes);
  });
});

describe('compared cases reach', () => {
  test.for(['kinds', 'methods', 'enumerators'] as const)('all %s', (what, { skip }) => {
    if (coverage.cases < Object.keys(cases).length) skip('not every case was compared');
    const { missing, stale } = coverage[what]();
    const advice = `no compared case reaches these ${what}: add one to test/plans/cases and to test/plans/fixtures, then npm run plans (CONTRIBUTING.md); or say in test/plans/uncovered.ts why there can be none`;
    expect(missing, advice).toEqual([]);
    expect(stale, 'a compared case reaches these: take them out of test/plans/uncovered.ts').toEqual([]);
  });
});
