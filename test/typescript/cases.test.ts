import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Network } from '../../src/index.js';
import { readFixture } from '../layers/fixture.js';
import { type LayerCase, record } from '../layers/harness.js';
import { leaves, readGraphs, record as recordGraph } from '../random/description.js';
import { makeFolder, Written } from './support.js';

const written = new Written(makeFolder());

/** One case in so many, counted per file; NODE_TENSORRT_ALL_CASES=1 takes all, which takes minutes. */
const step = process.env.NODE_TENSORRT_ALL_CASES ? 1 : 18;

/** Kinds whose layers `net.layer` had to record, by the networks where it did. */
const byParts = new Map<string, string[]>();

async function add(label: string, net: Network): Promise<void> {
  const code = await written.add(label, net);
  for (const [, kind] of code.matchAll(/\.layer\('(\w+)', \{/g))
    byParts.set(kind!, [...(byParts.get(kind!) ?? []), label]);
  const long = code.split('\n').filter((line) => line.length > 100 && !/^\s*('|name: '|\.\w+\(')/.test(line));
  expect(long, label).toEqual([]);
}

test.each(['layers', 'modules'] as const)('cases of %s are written', { timeout: 300_000 }, async (name) => {
  const at = new URL(`../${name}/`, import.meta.url);
  for (const file of readdirSync(at).filter((one) => one.endsWith('.cases.ts'))) {
    const { cases } = (await import(new URL(file, at).href)) as { cases: LayerCase[] };
    const fixture = readFixture(file.replace('.cases.ts', ''), name);
    for (const [i, one] of cases.entries())
      if (i % step === 0)
        await add(`${file} ${one.name}`, record(one, fixture.get(one.name)!, Boolean(one.dynamic)).net);
  }
});

test('random graphs are written', { timeout: 300_000 }, async () => {
  for (const [i, graph] of readGraphs().entries()) {
    if (i % (5 * step) > 0) continue;
    await add(`graph ${i}`, recordGraph(graph, leaves(graph.description)).net);
  }
});

test('the code records the same networks', { timeout: 300_000 }, () => written.run());

test('the code is accepted by the compiler', { timeout: 300_000 }, () => {
  expect(written.problems().slice(0, 10)).toEqual([]);
});

test('layers are written by their methods: only plugins that are not imported by name are not', () => {
  expect(written.files.size).toBeGreaterThan(1800 / step);
  expect([...byParts.keys()].filter((kind) => kind !== 'plugin')).toEqual([]);
});
