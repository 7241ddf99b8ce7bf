import { createHash } from 'node:crypto';
import { renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { concat, type Engine, float32, loadWeights, type Network, network, type Weights } from '../../../src/index.js';
import { binding } from '../../../src/tensorrt/binding.js';
import { temporaryFolder } from '../../setup/fake-library.js';
import { safetensors } from '../../weights/helpers.js';
import { chain, rejection, unbuildable } from '../networks.js';
import { childrenOf, pause, until } from './children.js';

const folder = temporaryFolder();

/** The plans of TensorRT-RTX are deterministic: the same network is the same file. */
async function plansOf(make: () => Network): Promise<[string, string]> {
  using here = await make().build();
  using there = await make().build({ isolate: true });
  return [hash(here), hash(there)];
}

const hash = ({ bytes }: Engine): string => createHash('sha256').update(bytes).digest('hex');

const [rows, columns] = [64, 2048];
const numbers = Float32Array.from({ length: rows * columns }, (_, i) => ((i * 31) % 251) - 125);

function file(name: string, values = numbers): string {
  const path = join(folder, name);
  const entry = { dtype: 'F32', shape: [rows, columns], data_offsets: [0, values.byteLength] };
  writeFileSync(path, safetensors({ w: entry }, new Uint8Array(values.buffer)));
  return path;
}

function product(weight: Parameters<ReturnType<typeof chain>['linear']>[0]['weight']): Network {
  const net = network('product', { x: float32('batch', columns) });
  net.linear({ weight }).relu().output('y');
  return net;
}

test('the driver is asked by the other process alone', async () => {
  const asked = vi.spyOn(binding(), 'cudaInfo');
  (await chain(2).build({ isolate: true })).dispose();
  expect(asked).not.toHaveBeenCalled();
  asked.mockRestore();
});

describe('the engine is the one that this process builds:', () => {
  test('layers, options, log, names and size', async () => {
    const options = { tf32: false, workspace: 2 ** 24, profilingVerbosity: 'detailed' } as const;
    const [here, there] = await Promise.all([chain(5).build(options), chain(5).build({ ...options, isolate: true })]);
    expect(hash(there)).toBe(hash(here));
    for (const key of ['library', 'inputs', 'outputs', 'log', 'options', 'size'] as const) {
      expect(there[key], key).toEqual(here[key]);
    }
    expect(there.buildMs).toBeGreaterThan(0);
  });

  test('a name and elements that are no ASCII, shapes that elements decide, a nested graph', async () => {
    const make = () => {
      const net = network('größe 🚀', { x: float32('n', 4) });
      const { state } = net.loop({ count: 3, state: { s: net.tensor() } }, ({ s }) => ({ state: { s: s.add(s) } }));
      state.s.output('y');
      return net;
    };
    const [here, there] = await plansOf(make);
    expect(there).toEqual(here);
  });

  test('weights of a file, of an array, and of a file that were written to in memory', async () => {
    const other = numbers.map((value) => value * 2);
    const path = file('w.safetensors');
    using weights = await loadWeights(path);
    const [here, mapped] = await plansOf(() => product(weights.get('w')));
    expect(mapped).toEqual(here);
    const [fromArray, sent] = await plansOf(() => product({ shape: [rows, columns], data: other }));
    expect(sent).toEqual(fromArray);
    expect(sent).not.toEqual(mapped);
    (weights.get('w').data as Float32Array).set(other);
    const [written, copied] = await plansOf(() => product(weights.get('w')));
    expect(copied).toEqual(written);
    expect(copied).not.toEqual(mapped);
  });

  test('an array that is changed, and a file that is closed and replaced, right after the call', async () => {
    const values = numbers.slice();
    using here = await product({ shape: [rows, columns], data: values }).build();
    const build = product({ shape: [rows, columns], data: values }).build({ isolate: true });
    values.fill(7);
    using there = await build;
    expect(hash(there)).toBe(hash(here));
    const path = file('replaced.safetensors');
    const weights = await loadWeights(path);
    using mapped = await product(weights.get('w')).build();
    const second = product(weights.get('w'));
    renameSync(file('new.safetensors', numbers.map(Math.abs)), path);
    using same = await second.build({ isolate: true });
    expect(hash(same)).toBe(hash(mapped));
    weights.dispose();
  });

  test('weights of more files than the channel holds at a time', async () => {
    const stores: Weights[] = [];
    for (let i = 0; i < 320; i++) {
      const path = join(folder, `small${i}.safetensors`);
      const entry = { dtype: 'F32', shape: [1, 8], data_offsets: [0, 32] };
      writeFileSync(path, safetensors({ w: entry }, new Uint8Array(new Float32Array(8).fill(i).buffer)));
      stores.push(await loadWeights(path));
    }
    const make = () => {
      const net = network('many', { x: float32(stores.length, 8) });
      const all = stores.map((store) => net.constant(store.get('w')));
      net.add(concat(all, { axis: 0 })).output('y');
      return net;
    };
    const [here, there] = await plansOf(make);
    expect(there).toEqual(here);
    for (const store of stores) store.dispose();
  });
});

describe('what TensorRT says comes back:', () => {
  test('an error with the layers, their lines and the log', async () => {
    const here = await rejection(unbuildable().build());
    const there = await rejection(unbuildable().build({ isolate: true }));
    expect(there.message).toBe(here.message);
    for (const key of ['code', 'layer', 'kind', 'layers', 'source', 'log', 'tensorrtCode'] as const) {
      expect(there[key], key).toEqual(here[key]);
    }
    expect(there.cause).toBeInstanceOf(Error);
  });

  test('lines of the log and steps, in their order', async () => {
    const heard = async (isolate: boolean) => {
      const events: string[] = [];
      const build = chain(30).build({
        isolate,
        onLog: ({ severity, message }) => events.push(`${severity} ${message}`),
        onProgress: ({ phase, step, steps }) => events.push(`${phase} ${step} of ${steps}`),
      });
      (await build).dispose();
      return events;
    };
    const here = await heard(false);
    expect(here.length).toBeGreaterThan(10);
    expect(await heard(true)).toEqual(here);
  });

  test('a callback that throws ends the build', async () => {
    const onProgress = () => {
      throw new Error('mine');
    };
    const error = await rejection(chain(200).build({ isolate: true, onProgress }));
    expect(error).toMatchObject({ code: 'ERR_CALLBACK', message: expect.stringContaining('mine') });
  });

  test('a file that was changed after it was loaded', async () => {
    const path = file('changed.safetensors');
    using weights = await loadWeights(path);
    const net = product(weights.get('w'));
    const build = rejection(net.build({ isolate: true }));
    truncateSync(path, 100);
    expect((await build).code).toBe('ERR_WEIGHTS_CHANGED');
  });
});

describe('processes', () => {
  test('one is kept, and builds the next network; of several at once, one stays', async () => {
    (await chain(2).build({ isolate: true })).dispose();
    const [first] = childrenOf();
    expect(first).toBeDefined();
    (await chain(3).build({ isolate: true })).dispose();
    expect(childrenOf()).toEqual([first]);
    const both = [chain(300).build({ isolate: true }), chain(301).build({ isolate: true })];
    await until(() => childrenOf().length === 2);
    expect(childrenOf()).toHaveLength(2);
    for (const engine of await Promise.all(both)) engine.dispose();
    expect(await until(() => childrenOf().length === 1)).toBe(true);
  });

  test('another environment gets another one', async () => {
    (await chain(2).build({ isolate: true })).dispose();
    const [first] = childrenOf();
    process.env.SOMETHING_ELSE = '1';
    try {
      (await chain(2).build({ isolate: true })).dispose();
    } finally {
      delete process.env.SOMETHING_ELSE;
    }
    expect(await until(() => !childrenOf().includes(first!))).toBe(true);
    expect(childrenOf()).toHaveLength(1);
  });

  test('one that was ended while it waited is replaced', async () => {
    (await chain(2).build({ isolate: true })).dispose();
    process.kill(childrenOf()[0]!, 'SIGKILL');
    (await chain(2).build({ isolate: true })).dispose();
    const [second] = childrenOf();
    process.kill(second!, 'SIGSTOP');
    const build = chain(2).build({ isolate: true });
    await pause(50);
    process.kill(second!, 'SIGKILL');
    (await build).dispose();
    expect(childrenOf()).not.toContain(second);
  });
});

test.each(['timeout', 'memoryLimit'] as const)('%s needs isolate', async (option) => {
  const error = await rejection(chain(1).build({ [option]: 5 }));
  expect(error).toMatchObject({ code: 'ERR_BUILD_OPTION', option });
});
