import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { NetworkJSON } from '../../src/dsl/ir.js';
import { Network } from '../../src/index.js';
import { readFixture } from './fixture.js';
import { type LayerCase, record } from './harness.js';

const folder = new URL('.', import.meta.url);
const kinds = readdirSync(folder).filter((file) => file.endsWith('.cases.ts'));

/** A network that was recorded in several attempts numbers its values with gaps. */
const numbers = ['id', 'inputs', 'weights'];

/** As text, without places in files; sizes that only the data tells are numbered anew. */
const text = (json: NetworkJSON, without: readonly string[] = []) =>
  JSON.stringify(json, (key, value) => (key === 'source' || without.includes(key) ? undefined : value)).replace(
    /\?\d+/g,
    '?',
  );

describe('every case of every kind goes through JSON', () => {
  test.each(kinds)('%s', async (file) => {
    const { cases } = (await import(new URL(file, folder).href)) as { cases: LayerCase[] };
    const fixture = readFixture(file.replace('.cases.ts', ''));
    for (const one of cases) {
      const { net } = record(one, fixture.get(one.name)!, Boolean(one.dynamic));
      const json = JSON.parse(JSON.stringify(net)) as NetworkJSON;
      const weights = new Map(net.weights.map((weight) => [weight.name, weight]));
      const source = { get: (name: string) => weights.get(name)! };
      const back = Network.fromJSON(json, source).toJSON();
      expect(text(back, numbers), one.name).toBe(text(json, numbers));
      expect(text(Network.fromJSON(back, source).toJSON()), one.name).toBe(text(back));
    }
  });
});
