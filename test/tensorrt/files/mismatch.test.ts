import { describe, expect, test } from 'vitest';
import { type EngineFile, type EngineMetadata, readEngineFile } from '../../../src/index.js';
import type { Flavor } from '../../../src/tensorrt/binding.js';
import { likelyReason, mismatchOf, missingPlugins } from '../../../src/tensorrt/files/mismatch.js';

const flavorOf = (version: string): Flavor =>
  version.startsWith('1.') ? 'rtx1' : version.startsWith('11.') ? 'trt11' : 'trt10';
const library = (version: string) => ({ flavor: flavorOf(version), version });
const gpu = (computeCapability: string, name = 'a GPU') => ({ name, computeCapability, driver: null });
const here = (version: string, capability = '9.0') => ({ library: library(version), gpu: gpu(capability) });

/** What is said of a container; undefined where the engine may run. */
function said(built: string, metadata: Partial<EngineMetadata>, at: ReturnType<typeof here>): string | undefined {
  const all = { library: library(built), user: {}, ...metadata };
  const error = mismatchOf('a.engine', { format: 'container', metadata: all, plan: { offset: 4096, bytes: 1 } }, at);
  if (error) expect(error.code).toBe('ERR_ENGINE_MISMATCH');
  return error?.message;
}

const compatible = { options: { versionCompatible: true } };

/**
 * NVIDIA's documentation, "Engine Compatibility" and "Support Matrix" of TensorRT 11 and TensorRT-RTX: an engine needs the release that built it;
 * a version-compatible one may meet a later release of its major version, and one of 10 also 11; TensorRT-RTX has none.
 */
describe('releases', () => {
  test.each<[string, string, Partial<EngineMetadata>, RegExp | undefined]>([
    ['10.6.0', '10.6.0', {}, undefined],
    [
      '10.6.0',
      '10.7.0',
      {},
      /^a\.engine was built by TensorRT 10\.6\.0 without versionCompatible; this is TensorRT 10\.7\.0/,
    ],
    ['10.6.0', '10.6.1', {}, /without versionCompatible/],
    ['10.6.0', '10.7.0', compatible, undefined],
    ['10.6.0', '10.16.1', compatible, undefined],
    ['10.7.0', '10.6.0', compatible, /no release runs engines of a later one/],
    ['10.6.0', '11.1.0', compatible, undefined],
    ['10.6.0', '11.1.0', {}, /without versionCompatible/],
    ['11.0.0', '10.16.0', compatible, /no release runs engines of a later one/],
    ['11.0.0', '11.1.0', compatible, undefined],
    ['1.6.1', '1.7.1', compatible, /TensorRT-RTX 1\.7\.1, and TensorRT-RTX's engines need the release that built them/],
    ['1.7.1', '10.6.0', {}, /built by TensorRT-RTX 1\.7\.1; this is TensorRT 10\.6\.0, another product/],
    ['10.6.0', '1.7.1', {}, /built by TensorRT 10\.6\.0; this is TensorRT-RTX 1\.7\.1, another product/],
  ])('built by %s, here %s', (built, at, metadata, message) => {
    const text = said(built, metadata, here(at, '8.9'));
    if (message) expect(text).toMatch(message);
    else expect(text).toBeUndefined();
  });
});

describe('GPUs', () => {
  const h200 = gpu('9.0', 'NVIDIA H200');
  test.each<[string, string, Partial<EngineMetadata>, RegExp | undefined]>([
    ['10.6.0', '9.0', { gpu: h200 }, undefined],
    [
      '10.6.0',
      '8.9',
      { gpu: h200 },
      /built on NVIDIA H200 for compute capability 9\.0 without hardwareCompatibility: 'ampere_plus'; this is a GPU of 8\.9/,
    ],
    ['10.6.0', '8.9', { gpu: h200, options: { hardwareCompatibility: 'ampere_plus' } }, undefined],
    ['10.6.0', '12.0', { gpu: h200, options: { hardwareCompatibility: 'ampere_plus' } }, undefined],
    [
      '10.6.0',
      '7.5',
      { gpu: h200, options: { hardwareCompatibility: 'ampere_plus' } },
      /for compute capability 8\.0 and later; this is a GPU of 7\.5/,
    ],
    [
      '10.6.0',
      '8.9',
      { gpu: h200, options: { hardwareCompatibility: 'same_compute_capability' } },
      /for compute capability 9\.0; this/,
    ],
    ['10.6.0', '8.9', {}, undefined],
    ['1.7.1', '8.9', { options: { computeCapabilities: [89] } }, undefined],
    ['1.7.1', '8.9', { options: { computeCapabilities: [86, 120] } }, undefined],
    [
      '1.7.1',
      '12.0',
      { options: { computeCapabilities: [89] } },
      /built for compute capability 8\.9; this is a GPU of 12\.0/,
    ],
    ['1.7.1', '7.5', { options: { computeCapabilities: [80, 120] } }, /built for compute capability 8\.0, 12\.0; this/],
    ['1.7.1', '12.0', { options: { computeCapabilities: [] } }, undefined],
    ['1.7.1', '12.0', { options: { computeCapabilities: ['current'] }, gpu: gpu('8.9') }, undefined],
  ])('%s on %s: %j', (version, capability, metadata, message) => {
    const text = said(version, metadata, here(version, capability));
    if (message) expect(text).toMatch(message);
    else expect(text).toBeUndefined();
  });

  test('another platform', () => {
    const options = { runtimePlatform: 'windows_amd64' } as EngineMetadata['options'];
    expect(said('10.6.0', { options }, here('10.6.0'))).toContain(
      "built for the platform 'windows_amd64'; this is Linux",
    );
  });
});

describe('plans without metadata', () => {
  const plan = (isRtx: boolean, version: string): EngineFile => ({
    format: 'plan',
    plan: { offset: 0, bytes: 100, header: { isRtx, version } },
  });
  test.each<[EngineFile, string, RegExp | undefined]>([
    [plan(false, '10.6.0'), '10.6.0', undefined],
    // It may be version-compatible: TensorRT is asked.
    [plan(false, '10.6.0'), '10.7.0', undefined],
    [plan(false, '10.7.0'), '10.6.0', /no release runs engines of a later one/],
    [plan(false, '8.6.1'), '10.6.0', undefined],
    [plan(false, '8.6.1'), '11.1.0', /runs no engines of release 8/],
    [plan(false, '10.6.0'), '1.7.1', /another product/],
    [plan(true, '1.6.1'), '1.7.1', /need the release that built them/],
    [{ format: 'plan', plan: { offset: 0, bytes: 3 } }, '10.6.0', undefined],
  ])('%#', (file, version, message) => {
    const error = mismatchOf('a.plan', file, here(version));
    if (message) expect(error?.message).toMatch(message);
    else expect(error).toBeUndefined();
  });

  test("TensorRT's refusal is completed", () => {
    expect(likelyReason(plan(false, '10.6.0'), here('10.7.0'))).toBe('the file says that TensorRT 10.6.0 built it');
    expect(likelyReason(plan(false, '10.6.0'), here('10.6.0'))).toBeUndefined();
  });
});

test('plugins that nobody has are named with their layers and their library', () => {
  const one = {
    name: 'Snake',
    version: '1',
    namespace: 'them',
    code: 'library',
    library: '/opt/libsnake.so',
    layers: ['a', 'b'],
  } as const;
  const error = missingPlugins('a.engine', [one]);
  expect([error?.code, error?.message]).toEqual([
    'ERR_PLUGIN_MISSING',
    "a.engine needs plugin 'Snake' version 1 in namespace 'them' of layer 'a', 'b', which /opt/libsnake.so had where it was built: load the library that has it before: await loadPluginLibrary(\"/opt/libsnake.so\")",
  ]);
  expect(missingPlugins('a.engine', [])).toBeUndefined();
});

test('a file by Python is held against what is here', async () => {
  const file = await readEngineFile(new URL('fixtures/container.engine', import.meta.url).pathname);
  expect(mismatchOf('x', file, here('10.6.0', '9.0'))).toBeUndefined();
  expect(mismatchOf('x', file, here('10.15.0', '8.9'))?.message).toBe(
    'x was built by TensorRT 10.6.0 without versionCompatible; this is TensorRT 10.15.0, and such an engine needs the release that built it: build it again here, or load it where it was built',
  );
});
