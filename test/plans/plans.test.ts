import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { binding } from '../../src/runtime/binding.js';
import { readElfConstant } from '../../src/runtime/elf.js';
import { chooseTensorRT } from '../../src/runtime/find.js';
import { cases } from './all.js';
import { type Recorded, recordCase } from './case.js';
import { Coverage } from './coverage.js';

// TensorRT-RTX's plans are deterministic: NVIDIA's own bindings and we make the same file where we tell TensorRT the same.

const read = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
const { bindings, plans } = read('plans.json') as { bindings: string; plans: Record<string, string> };
const names = read('names.json') as Record<string, [string, string[]][]>;

const { path, version } = await chooseTensorRT({ for: 'build', library: 'rtx1' });
const build = await readElfConstant(path, 'getInferLibBuildVersion');
const release = `${version}.${build.value}`;

const coverage = new Coverage();
afterAll(() => binding().traceCalls(false));

/** Why a plan differs, as far as that can be told. */
async function explain(name: string, recorded: Recorded): Promise<string> {
  const { layers } = (await recorded.check()).names;
  const ours = layers.map((layer) => [layer.name, layer.outputs]);
  if (JSON.stringify(ours) !== JSON.stringify(names[name]))
    return `layers have other names or another order than in names.json. Where that is meant: npm run plans`;
  return `TensorRT was told something else here than by NVIDIA's bindings in test/plans/fixtures`;
}

test('cases are described on both sides', () => {
  const own = Object.keys(cases).sort();
  const advice = 'describe the case in test/plans/fixtures, too, then: npm run plans';
  expect(Object.keys(plans).sort(), advice).toEqual(own);
  expect(Object.keys(names).sort(), advice).toEqual(own);
});

describe('a plan is the one that NVIDIA’s bindings make', () => {
  test.for(Object.keys(cases))('%s', async (name, { skip }) => {
    if (release !== bindings) skip(`TensorRT-RTX ${release} is loaded, the plans are of ${bindings}`);
    const recorded = recordCase(name, cases[name]!);
    binding().traceCalls(true);
    using engine = await recorded.build();
    const { calls, enumerators } = binding().traced();
    const hash = createHash('sha256').update(engine.bytes).digest('hex');
    if (hash !== plans[name]) expect.fail(await explain(name, recorded));
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
