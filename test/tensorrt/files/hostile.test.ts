import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readEngineFile } from '../../../src/index.js';
import { rejection } from '../networks.js';

const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));
const good = readFileSync(new URL('fixtures/container.engine', import.meta.url));

async function refused(bytes: Uint8Array): Promise<string> {
  const path = join(folder, 'hostile.engine');
  writeFileSync(path, bytes);
  const error = await rejection(readEngineFile(path));
  expect(error.code).toBe('ERR_ENGINE_FILE');
  return error.message.replace(`${path} `, '');
}

/** A container with other fields, and the checksum that they would have. */
function container(change: (head: Buffer) => void, json?: string): Buffer {
  const length = json === undefined ? good.readUInt32LE(12) : Buffer.byteLength(json);
  const text = json === undefined ? good.subarray(96, 96 + length) : Buffer.from(json);
  const sums = good.subarray(96 + good.readUInt32LE(12), 96 + good.readUInt32LE(12) + 4);
  const offset = Math.ceil((96 + length + 4) / 4096) * 4096;
  const head = Buffer.alloc(offset);
  good.copy(head, 0, 0, 64);
  head.writeUInt32LE(length, 12);
  head.writeBigUInt64LE(BigInt(offset), 16);
  text.copy(head, 96);
  sums.copy(head, 96 + length);
  change(head);
  createHash('sha256').update(head.subarray(0, 64)).update(head.subarray(96)).digest().copy(head, 64);
  return Buffer.concat([head, good.subarray(Number(good.readBigUInt64LE(16)))]);
}

test('what is changed here is otherwise read', async () => {
  const path = join(folder, 'good.engine');
  writeFileSync(
    path,
    container(() => {}),
  );
  expect((await readEngineFile(path)).metadata!.name).toBe('caf\u00e9');
});

describe('headers', () => {
  const huge = 2n ** 64n - 1n;
  test.each<[string, (head: Buffer) => void, RegExp]>([
    ['a later version', (head) => head.writeUInt32LE(2, 8), /of version 2; this release reads version 1/],
    ['4 GB of metadata', (head) => head.writeUInt32LE(2 ** 32 - 1, 12), /claims 4294967295 bytes, more than 16777216/],
    ['metadata into the plan', (head) => head.writeUInt32LE(5000, 12), /sizes contradict/],
    [
      'a plan that begins behind the file',
      (head) => head.writeBigUInt64LE(huge, 16),
      /it claims \d+ bytes, the file has \d+: it was cut off/,
    ],
    ['a plan inside the header', (head) => head.writeBigUInt64LE(0n, 16), /it claims 4124 bytes, the file has 8220/],
    ['a plan of 2^64 bytes', (head) => head.writeBigUInt64LE(huge, 24), /it was cut off/],
    [
      '2^64 bytes together, which wraps',
      (head) => {
        head.writeBigUInt64LE(2n ** 63n, 16);
        head.writeBigUInt64LE(2n ** 63n + 8220n, 24);
      },
      /it was cut off/,
    ],
    [
      'no plan',
      (head) => {
        head.writeBigUInt64LE(8220n, 16);
        head.writeBigUInt64LE(0n, 24);
      },
      /sizes contradict/,
    ],
    ['parts of one byte', (head) => head.writeUInt32LE(1, 32), /sizes contradict/],
    ['parts of no bytes', (head) => head.writeUInt32LE(0, 32), /sizes contradict/],
    ['2^32 checksums', (head) => head.writeUInt32LE(2 ** 32 - 1, 36), /sizes contradict/],
    ['no checksums', (head) => head.writeUInt32LE(0, 36), /sizes contradict/],
  ])('%s', async (_, change, message) => {
    expect(await refused(container(change))).toMatch(message);
  });

  test.each([1, 7, 8, 40, 95, 96, 500, 4095, 4096, good.length - 1])('a file cut off after %i bytes', async (size) => {
    expect(await refused(good.subarray(0, size))).toMatch(/cut off/);
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['zeros over all fields', (bytes) => bytes.fill(0, 0, 64)],
    ['zeros over the first bytes', (bytes) => bytes.fill(0, 0, 8)],
    ['a byte before them', (bytes) => Buffer.concat([Buffer.of(1), bytes])],
    ['the first eight lost', (bytes) => bytes.subarray(8)],
    ['the eighth bit lost', (bytes) => Buffer.from(bytes.map((byte) => byte & 0x7f))],
  ])('%s', async (_, change) => {
    const json = '{"generator":"node-tensorrt 0.1.0","user":{}}';
    expect(await refused(change(container(() => {}, json)))).toMatch(/its first bytes are wrong/);
  });

  test('bytes behind the plan', async () => {
    expect(await refused(Buffer.concat([good, Buffer.alloc(1)]))).toMatch(/claims 8220 bytes, the file has 8221$/);
  });
});

describe('metadata', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  test.each<[string, string, RegExp]>([
    ['a key twice', '{"user":{},"user":{}}', /has metadata that is malformed at byte \d+: has the key "user" twice/],
    ['a key twice deep inside', '{"user":{"a":[{"b":1,"b":2}]}}', /has the key "b" twice/],
    ['a list', '[]', /no JSON object/],
    ['no JSON', '{"user":{},}', /malformed at byte/],
    ['NaN', '{"user":{"a":NaN}}', /malformed/],
    ['a number that overflows', '{"user":{"a":1e999}}', /overflows/],
    ['too deep', `{"user":{"a":${nested(200)}}}`, /nested deeper/],
    ['no user', '{}', /wrong at user/],
    ['a library that is none', '{"library":{"flavor":"trt9","version":"9.0.0"},"user":{}}', /wrong at library\.flavor/],
    ['a release that is none', '{"library":{"flavor":"trt10","version":"10"},"user":{}}', /wrong at library\.version/],
    [
      'a dim that is none',
      '{"inputs":[{"name":"x","dtype":"float32","shape":["2*"]}],"user":{}}',
      /wrong at inputs\.0\.shape\.0/,
    ],
    [
      'a negative size',
      '{"inputs":[{"name":"x","dtype":"float32","shape":[-1]}],"user":{}}',
      /wrong at inputs\.0\.shape\.0/,
    ],
    [
      'nine axes',
      '{"inputs":[{"name":"x","dtype":"float32","shape":[1,1,1,1,1,1,1,1,1]}],"user":{}}',
      /wrong at inputs\.0\.shape/,
    ],
  ])('%s', async (_, json, message) => {
    expect(await refused(container(() => {}, json))).toMatch(message);
  });

  test('bytes that are no UTF-8', async () => {
    expect(await refused(container((head) => head.fill(0xff, 100, 104)))).toMatch(/is not valid UTF-8/);
  });
});

describe("files of Ultralytics'", () => {
  const file = (length: number, text: string, plan = 'plan'): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(length);
    return Buffer.concat([head, Buffer.from(text), Buffer.from(plan)]);
  };
  test.each<[string, Buffer, RegExp]>([
    ['a key twice', file(13, '{"a":1,"a":2}'), /the key "a" twice/],
    ['no JSON', file(3, '{a}'), /malformed/],
    ['no plan', file(2, '{}', ''), /no engine behind it/],
  ])('%s', async (_, bytes, message) => expect(await refused(bytes)).toMatch(message));

  test.each<[string, Buffer]>([
    ['a length beyond the file', file(100, '{}')],
    ['4 GB', file(2 ** 32 - 1, '{}')],
    ['no object', file(2, '[]')],
    ['an object that does not end', file(1, '{')],
  ])('%s is no file of theirs, and no engine', async (_, bytes) => {
    expect(await refused(bytes)).toMatch(/^begins with [\da-f ]+, as no engine does: expected a plan of TensorRT/);
  });

  test('what begins as a plan does is one', async () => {
    const path = join(folder, 'plan');
    writeFileSync(path, 'ftrt{"a":1}');
    expect(await readEngineFile(path)).toEqual({ format: 'plan', plan: { offset: 0, bytes: 11 } });
  });
});
