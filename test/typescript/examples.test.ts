import { fileURLToPath } from 'node:url';
import * as library from 'node-tensorrt';
import { loadWeights, type Weights } from 'node-tensorrt';
import { expect, test } from 'vitest';
import type { Network } from '../../src/index.js';
import { makeFolder, Written } from './support.js';

// Examples use the compiled package, whose networks are those of the source for what is compared here.
type Port = { port: { name: string; build(w: Weights, config: unknown, precision: string): Network } };

const written = new Written(makeFolder(), library as never);
const models = ['resnet50', 'bert', 'gpt2', 'hrnet', 'yolov8'];

async function model(name: string, precision: string): Promise<Network> {
  const folder = new URL(`../../examples/${name}/`, import.meta.url);
  const { port } = (await import(new URL('network.ts', folder).href)) as Port;
  const w = await loadWeights(fileURLToPath(new URL('weights.safetensors', folder)));
  return port.build(w, JSON.parse(w.metadata.get('config')!), precision);
}

test.each(models)('%s is written in functions, with its weights by name', { timeout: 120_000 }, async (name) => {
  for (const precision of ['float32', 'float16']) {
    const net = await model(name, precision);
    // Of dist/, whose types are others than those of src/.
    const code = await written.add(`${name} ${precision}`, net as never, {});
    expect(code).not.toMatch(/\.layer\('\w+', \{/);
    expect(code.split('\n').filter((line) => line.length > 100 && !line.includes('loadWeights'))).toEqual([]);
    // Blocks are functions, so it is shorter than the list of its layers.
    expect(code.split('\n').length).toBeLessThan(net.graph.nodes.length * 1.6);
  }
});

test('the code records the same networks, with the same elements', { timeout: 300_000 }, () => written.run());

test('the code is accepted by the compiler', { timeout: 300_000 }, () => expect(written.problems()).toEqual([]));
