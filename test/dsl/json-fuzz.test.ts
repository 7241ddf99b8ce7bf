import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { lower } from '../../src/cpu/lower.js';
import { snapshot } from '../../src/dsl/snapshot.js';
import { Network, TensorRTError } from '../../src/index.js';
import { readFixture } from '../layers/fixture.js';
import { type LayerCase, record } from '../layers/harness.js';
import { mutate, random } from './json-mutate.js';

const folder = new URL('../layers/', import.meta.url);
const kinds = readdirSync(folder).filter((file) => file.endsWith('.cases.ts'));
/** More mutants by `JSON_FUZZ=100 npx vitest run test/dsl/json-fuzz.test.ts`. */
const times = Number(process.env.JSON_FUZZ ?? 1);
const longest = 100_000;

/** What a step may not end with; undefined if all is well. */
async function problemIn(step: () => unknown): Promise<string | undefined> {
  const start = performance.now();
  try {
    await step();
  } catch (error) {
    if (!(error instanceof TensorRTError)) return `${error}`;
    if (error.code === 'ERR_INTERNAL' || /malformed|Cannot read|not a function|not iterable/.test(error.message))
      return `${error.code}: ${error.message}`;
  }
  const took = performance.now() - start;
  return took > 5000 ? `took ${took} ms` : undefined;
}

describe('a changed JSON is refused by name, or is a network like any other', () => {
  test.each(kinds)('%s', async (file) => {
    const { cases } = (await import(new URL(file, folder).href)) as { cases: LayerCase[] };
    const fixture = readFixture(file.replace('.cases.ts', ''));
    const problems: string[] = [];
    let checked = 0;
    for (const [i, one] of cases.entries()) {
      const { net } = record(one, fixture.get(one.name)!, Boolean(one.dynamic));
      const text = JSON.stringify(net);
      if (text.length > longest) continue;
      const weights = new Map(net.weights.map((weight) => [weight.name, weight]));
      const source = { get: (name: string) => weights.get(name)! };
      for (let k = 0; k < 4 * times; k++) {
        const seed = i * 1_000_003 + k;
        const json = JSON.parse(text);
        const changes = mutate(json, random(seed));
        const report = (problem: string | undefined) => {
          if (problem) problems.push(`${one.name}, seed ${seed}: ${changes}\n  ${problem}`);
        };
        let read: Network | undefined;
        report(
          await problemIn(() => {
            read = Network.fromJSON(json, source);
          }),
        );
        if (!read) continue;
        try {
          Network.fromJSON(JSON.parse(JSON.stringify(read)), source);
        } catch (error) {
          report(`cannot be read again: ${error}`);
        }
        report(await problemIn(() => lower(snapshot(read!))));
        // TensorRT itself, for some: it takes its time.
        if (checked++ % 8 === 0) report(await problemIn(() => read!.check()));
      }
    }
    expect(problems).toEqual([]);
  });
});
