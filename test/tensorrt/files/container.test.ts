import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { float32, network, readEngineFile } from '../../../src/index.js';
import { binding } from '../../../src/tensorrt/binding.js';
import { extractPlan } from '../../../src/tensorrt/files/extract.js';
import { openBytes, openEngine } from '../../../src/tensorrt/files/open.js';
import { rejection } from '../networks.js';

const folder = mkdtempSync(join(tmpdir(), 'container-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url).pathname;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const user = { labels: ['caf\u00e9', '\u{1f600}'], threshold: 0.25, nothing: null, deep: { er: [{}] } };
let plan: Uint8Array;
let container: Uint8Array;

beforeAll(async () => {
  const net = network('halves', { x: float32('batch', 3) });
  net
    .tensor('x')
    .concat([net.tensor('x')], { axis: 0 })
    .relu()
    .output('y');
  using engine = await net.build({ profiles: [{ batch: [1, 2, 4] }], computeCapabilities: [89] });
  plan = engine.bytes;
  await engine.save(path('plain.plan'));
  await engine.save(path('false.plan'), { metadata: false });
  await engine.save(path('own.engine'), { metadata: true });
  await engine.save(path('user.engine'), { metadata: user });
  container = readFileSync(path('user.engine'));
});

describe('saving', () => {
  test('without metadata a file is the plan', () => {
    for (const name of ['plain.plan', 'false.plan']) expect(readFileSync(path(name)).equals(plan)).toBe(true);
  });

  test('a container says what the engine is', async () => {
    const { format, metadata, plan: at } = await readEngineFile(path('user.engine'));
    expect(format).toBe('container');
    expect(metadata).toMatchObject({
      generator: expect.stringMatching(/^node-tensorrt \d/),
      name: 'halves',
      graphHash: expect.stringMatching(/^[\da-f]{64}$/),
      library: { flavor: 'rtx1', version: expect.stringMatching(/^1\.\d+\.\d+$/) },
      options: { computeCapabilities: [89], optimizationLevel: 3, tf32: true },
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['2*batch', 3] }],
    });
    expect(metadata!.user).toEqual(user);
    expect(at).toMatchObject({ bytes: plan.length, header: { isRtx: true, version: metadata!.library!.version } });
    expect(at.offset % 4096).toBe(0);
    expect((await readEngineFile(path('own.engine'))).metadata).toEqual({ ...metadata, user: {} });
  });

  test('the same engine gives the same file', async () => {
    const { handle, metadata } = await openEngine(path('user.engine'));
    const { savePlan } = await import('../../../src/tensorrt/files/save.js');
    await savePlan({ path: path('again.engine'), metadata }, handle, plan.length);
    expect(readFileSync(path('again.engine')).equals(container)).toBe(true);
  });

  test('extract gives the plan', async () => {
    await extractPlan(path('user.engine'), path('extracted.plan'));
    expect(readFileSync(path('extracted.plan')).equals(plan)).toBe(true);
  });

  const self: Record<string, unknown> = {};
  self.self = self;
  test.each<[string, unknown, RegExp]>([
    ['text', 'yes', /metadata is not an object/],
    ['a list', [1], /metadata is not an object/],
    ['a number that is none', { a: [Number.NaN] }, /cannot be JSON at metadata\.a\[0\]/],
    ['a bigint', { a: 1n }, /cannot be JSON at metadata\.a/],
    ['a function', { a: { b: () => 1 } }, /cannot be JSON at metadata\.a\.b/],
    ['a date', { a: new Date(0) }, /cannot be JSON at metadata\.a/],
    ['itself', self, /cannot be JSON at metadata\.self/],
    ['half a surrogate pair', { a: '\ud800' }, /half a surrogate pair/],
    ['17 MB', { a: 'x'.repeat(17e6) }, /more than 16777216/],
  ])('metadata of %s is ERR_SAVE and leaves nothing', async (_, metadata, message) => {
    const before = readdirSync(folder);
    using engine = await small();
    const error = await rejection(engine.save(path('refused'), { metadata: metadata as never }));
    expect([error.code, error.message]).toEqual(['ERR_SAVE', expect.stringMatching(message)]);
    expect(readdirSync(folder)).toEqual(before);
  });

  test('an unknown option is refused', async () => {
    using engine = await small();
    const error = await rejection(engine.save(path('refused'), { metdata: true } as never));
    expect([error.code, error.option]).toEqual(['ERR_SAVE', 'metdata']);
  });
});

async function small() {
  const net = network('small', { x: float32(1) });
  net.tensor('x').relu().output('y');
  return await net.build();
}

describe('another reader and writer, from the documentation alone', () => {
  test('Python reads what is written here', () => {
    const script = [fixture('container.py'), 'read', path('user.engine')];
    const read = JSON.parse(execFileSync('python3', script, { encoding: 'utf8' }));
    expect(read).toMatchObject({ bytes: plan.length, sha256: sha256(plan), metadata: { name: 'halves', user } });
  });

  test('what Python wrote is read here', async () => {
    const { format, metadata, plan: at } = await readEngineFile(fixture('container.engine'));
    expect([format, at.bytes]).toEqual(['container', 28 + 4096]);
    expect(metadata).toEqual({
      generator: 'container.py',
      name: 'caf\u00e9',
      library: { flavor: 'trt10', version: '10.6.0' },
      gpu: { name: 'NVIDIA H200', computeCapability: '9.0', driver: '12.8' },
      options: { versionCompatible: false, hardwareCompatibility: 'none' },
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3] }],
      outputs: [{ name: 'y', dtype: 'float16', shape: ['2*batch + 1', 3] }],
      plugins: [{ name: 'Snake', version: '1', namespace: 'node_tensorrt', code: 'plan', layers: ['snake'] }],
      user: expect.objectContaining({ labels: ['a', 'b'], threshold: 0.25 }),
    });
    expect(Object.keys(metadata!.user)).toContain('__proto__');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(at.header).toEqual({ isRtx: false, version: '10.6.0' });
    await openEngine(fixture('container.engine'));
  });

  test("Ultralytics' files are read with their metadata", async () => {
    const { format, metadata, plan: at } = await readEngineFile(fixture('ultralytics.engine'));
    expect(format).toBe('ultralytics');
    expect(metadata).toEqual({ user: expect.objectContaining({ task: 'detect', stride: 32, imgsz: [640, 640] }) });
    expect(metadata!.user.names).toEqual({ 0: 'person', 1: 'bicycle', 2: 'caf\u00e9' });
    expect(at.header).toEqual({ isRtx: false, version: '10.6.0' });
    const bytes = readFileSync(fixture('ultralytics.engine'));
    await extractPlan(fixture('ultralytics.engine'), path('ultralytics.plan'));
    expect(readFileSync(path('ultralytics.plan')).equals(bytes.subarray(4 + bytes.readUInt32LE(0)))).toBe(true);
  });
});

/** A generator of numbers below `most`: xorshift32. */
function random(seed: number) {
  let state = seed;
  return (most: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % most;
  };
}

describe('damage', () => {
  test('2,000 mutations are all refused, before TensorRT has a byte', async () => {
    const next = random(20261201);
    const accepted: string[] = [];
    for (let i = 0; i < 2000; i++) {
      // Half of them in what stands before the plan.
      const at = next(i % 2 ? 8192 : container.length);
      const kind = ['bit', 'byte', 'cut', 'insert', 'zeros', 'swap'][next(6)]!;
      const bytes = mutated(container, kind, at, next);
      if (Buffer.compare(bytes, container) === 0) continue;
      const outcome = await openBytes(bytes).then(
        () => `${kind} at ${at}`,
        (error) => (error.code === 'ERR_ENGINE_FILE' ? undefined : `${kind} at ${at}: ${error.code} ${error.message}`),
      );
      if (outcome) accepted.push(outcome);
    }
    expect(accepted).toEqual([]);
  });

  test('a file is refused in the same way, and says which part is wrong', async () => {
    const bytes = Buffer.from(container);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path('flipped.engine'), bytes);
    const error = await rejection(openEngine(path('flipped.engine')));
    expect([error.code, error.message]).toEqual([
      'ERR_ENGINE_FILE',
      `${path('flipped.engine')} is damaged: the checksum of bytes 0 to ${plan.length} of its plan is wrong; copy or build it again`,
    ]);
    expect((await readEngineFile(path('flipped.engine'))).metadata!.name).toBe('halves');
    expect((await rejection(extractPlan(path('flipped.engine'), path('never.plan')))).code).toBe('ERR_ENGINE_FILE');
    expect(readdirSync(folder)).not.toContain('never.plan');
  });

  test('of several parts, each is told', async () => {
    const many = new Uint8Array(40 * 2 ** 20).fill(7);
    const handle = binding().planOf(many);
    const { savePlan } = await import('../../../src/tensorrt/files/save.js');
    await savePlan({ path: path('parts.engine'), metadata: { user: {} } }, handle, many.length);
    const { plan: at } = await readEngineFile(path('parts.engine'));
    const bytes = readFileSync(path('parts.engine'));
    await openBytes(bytes);
    bytes[at.offset + 17 * 2 ** 20]! ^= 0x80;
    bytes[at.offset + 39 * 2 ** 20]! ^= 0x80;
    const error = await rejection(openBytes(bytes));
    expect(error.message).toContain('bytes 16777216 to 33554432 of its plan is wrong, and 1 other parts');
  });

  test.each<[string, () => void]>([
    ['cut off', () => truncateSync(path('changing.engine'), 5000)],
    ['overwritten', () => writeFileSync(path('changing.engine'), Buffer.alloc(container.length))],
  ])('a file that is %s after it was opened is not copied', async (_, change) => {
    writeFileSync(path('changing.engine'), container);
    const { handle, plan: at } = await openEngine(path('changing.engine'));
    change();
    const { savePlan, copyOfPlan } = await import('../../../src/tensorrt/files/save.js');
    const error = await rejection(savePlan({ path: path('copy.plan'), metadata: undefined }, handle, at.bytes));
    expect(error.code).toBe('ERR_SAVE');
    expect(readdirSync(folder)).not.toContain('copy.plan');
    expect(() => copyOfPlan(handle)).toThrow(expect.objectContaining({ code: 'ERR_ENGINE_FILE' }));
  });
});

function mutated(bytes: Uint8Array, kind: string, at: number, next: (most: number) => number): Uint8Array {
  const copy = Buffer.from(bytes);
  if (kind === 'bit') copy[at]! ^= 1 << next(8);
  if (kind === 'byte') copy[at] = next(256);
  if (kind === 'zeros') copy.fill(0, at, at + 1 + next(64));
  if (kind === 'swap') copy.copyWithin(at, next(copy.length - 64), next(copy.length));
  if (kind === 'cut') return copy.subarray(0, at);
  if (kind === 'insert') return Buffer.concat([copy.subarray(0, at), Buffer.of(next(256)), copy.subarray(at)]);
  return copy;
}
