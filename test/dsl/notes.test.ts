import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  extract,
  float32,
  type IOOptions,
  Network,
  network,
  readEngineFile,
  reduceNetwork,
  rewrite,
  toTypeScript,
} from '../../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'notes-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [ofImage, ofPose, ofMask] = ['RGB, 0 to 1', "camera's pose:\n4×4, row-major", 'probabilities'];

/** @param notes in the order of image, pose, mask; the other output has none */
function recorded([image, pose, mask]: (string | undefined)[] = [ofImage, ofPose, ofMask]): Network {
  const net = network('noted');
  const x = net.input('image', float32('batch', 3), { note: image });
  const y = net.input('pose', float32(1, 3), { format: 'linear', note: pose });
  x.add(y).sigmoid().output('mask', { note: mask });
  x.relu().output('plain');
  return net;
}

const notes = (list: readonly { name: string; note?: string | undefined }[]) =>
  list.flatMap(({ name, note }) => (note === undefined ? [] : [[name, note]]));
const all = {
  inputs: [
    ['image', ofImage],
    ['pose', ofPose],
  ],
  outputs: [['mask', ofMask]],
};
const ofGraph = ({ graph: { inputs, outputs } }: Network) => ({ inputs: notes(inputs), outputs: notes(outputs) });
const ofEngine = ({ inputs = [], outputs = [] }: { inputs?: readonly object[]; outputs?: readonly object[] }) => ({
  inputs: notes(inputs as never),
  outputs: notes(outputs as never),
});

const keepsIO = ({ inputs, outputs }: Network): boolean =>
  ['image', 'pose'].every((name) => inputs.some((one) => one.name === name)) && outputs.length === 2;

describe('notes on inputs and outputs', () => {
  test('are in the graph, where they were given', () => {
    expect(ofGraph(recorded())).toEqual(all);
    const net = network('other', { x: float32(2) });
    net.relu().output({ name: 'y', note: 'logits' });
    expect(ofGraph(net)).toEqual({ inputs: [], outputs: [['y', 'logits']] });
    expect(net.graph.inputs[0]).not.toHaveProperty('note');
  });

  test('outlive JSON and passes', async () => {
    const copies = [
      Network.fromJSON(JSON.parse(JSON.stringify(recorded().toJSON()))),
      rewrite(recorded(), () => undefined),
      extract(recorded()),
      (await reduceNetwork(recorded(), keepsIO)).network,
    ];
    for (const copy of copies) expect(ofGraph(copy)).toEqual(all);
    const part = extract(recorded(), { outputs: ['mask'] });
    expect(ofGraph(part)).toEqual(all);
    const renamed = extract(recorded(), { outputs: { other: 'mask' } });
    expect(ofGraph(renamed)).toEqual({ ...all, outputs: [] });
  });

  test('are in the code that toTypeScript writes', () => {
    const { code } = toTypeScript(recorded());
    expect(code).toContain("net.input('image', float32('batch', 3), { note: 'RGB, 0 to 1' });");
    expect(code).toContain(".output('mask', { note: 'probabilities' })");
    expect(code).toContain(".output('plain')");
    expect(code).toContain(String.raw`note: 'camera\'s pose:\n4×4, row-major',`);
  });

  test('are of the engine, and in the file that has its metadata', async () => {
    using engine = await recorded().build();
    expect(ofEngine(engine)).toEqual(all);
    expect(ofEngine(engine.metadata!)).toEqual(all);
    const path = join(folder, 'noted.engine');
    await engine.save(path, { metadata: true });
    expect(ofEngine((await readEngineFile(path)).metadata!)).toEqual(all);
    await engine.save(join(folder, 'plan'));
    expect((await readEngineFile(join(folder, 'plan'))).metadata).toBeUndefined();
  });

  test('neither change the engine nor its place in the cache: a hit has those of the network at hand', async () => {
    const cache = join(folder, 'cache');
    using first = await recorded().build({ cache });
    using second = await recorded(['BGR', undefined, 'logits']).build({ cache });
    expect([first.fromCache, second.fromCache]).toEqual([false, true]);
    expect(second.metadata!.graphHash).toBe(first.metadata!.graphHash);
    const others = { inputs: [['image', 'BGR']], outputs: [['mask', 'logits']] };
    expect(ofEngine(second)).toEqual(others);
    expect(ofEngine(second.metadata!)).toEqual(others);
  });

  test('are of models on the CPU, too', async () => {
    using model = await recorded().compile({ backend: 'cpu' });
    expect(ofEngine(model)).toEqual(all);
  });

  test.each<[string, unknown, RegExp]>([
    ['no text', 7, /note: expected a text of 1 to 1000 characters, given 7/],
    ['null', null, /note: expected a text of 1 to 1000 characters, given null/],
    ['nothing', '', /note: expected a text of 1 to 1000 characters, given ''/],
    ['too much', 'x'.repeat(1001), /note: expected a text of 1 to 1000 characters, given 1001 characters/],
    ['half a surrogate pair', 'a\ud83d', /note: expected a text in Unicode, given half a surrogate pair/],
  ])('%s is refused where it is given, and leaves nothing behind', (_, note, message) => {
    const net = network('n', { x: float32(2) });
    const y = net.relu();
    const options = { note } as IOOptions;
    const refusals = [
      () => y.output('y', options),
      () => y.output({ name: 'y', ...options }),
      () => net.input('z', float32(2), options),
    ];
    for (const refused of refusals) {
      expect(refused).toThrow(message);
      expect(refused).toThrow(expect.objectContaining({ code: 'ERR_PARAMETER', option: 'note' }));
    }
    expect(net.outputs).toEqual([]);
    expect(net.inputs).toHaveLength(1);
    expect(y.output('y', { note: '👋'.repeat(500) }).name).toBe('y');
  });

  test('JSON with a wrong note is refused', () => {
    const wrong = (note: unknown) => {
      const json = recorded().toJSON();
      Object.assign(json.outputs[0]!, { note });
      return () => Network.fromJSON(json);
    };
    expect(wrong(5)).toThrow(expect.objectContaining({ code: 'ERR_JSON' }));
    expect(wrong('')).toThrow(/note: expected a text/);
  });
});
