import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findSanitizer, sanitize } from '../../src/testing/sanitizer.js';
import type { Launch } from '../../src/testing/sanitizer-job.js';
import { outOfBounds, race, withSanitizer } from './stand-in.js';

/** No program can run it: there is neither a recipe nor a GPU. */
const launch: Launch = {
  plugin: { name: 'p', version: '1', recipe: new Uint8Array(), cubins: [], attributes: [] },
  inputs: [],
  tactic: 0,
};
const limit = 60_000;

describe('what compute-sanitizer says of the kernels of a child process:', () => {
  test('an access out of bounds, with the launch that was under way', async () => {
    const printed = { memcheck: outOfBounds('/me/store.cu', 12) };
    const outcome = await withSanitizer(printed, (path) => sanitize(path, 'memcheck', 0, [launch, launch], limit));
    expect(outcome).toMatchObject({
      ran: true,
      launch: 0,
      findings: [{ what: 'Invalid __global__ write of size 4 bytes', frames: [{ file: '/me/store.cu', line: 12 }] }],
    });
  });

  test('a race', async () => {
    const printed = { racecheck: race('/me/sum.cu', 4, 9) };
    const outcome = await withSanitizer(printed, (path) => sanitize(path, 'racecheck', 0, [launch], limit));
    expect(outcome).toMatchObject({ ran: true, launch: 0, findings: [{ frames: [{ line: 4 }, { line: 9 }] }] });
  });

  test('nothing, where the child process came to its end', async () => {
    expect(await withSanitizer({}, (path) => sanitize(path, 'memcheck', 0, [], limit))).toEqual({
      ran: true,
      findings: [],
    });
  });
});

describe('where it did not run, that is no pass:', () => {
  const whyNot = async (printed: Parameters<typeof withSanitizer>[0], launches: Launch[] = [], limitMs = limit) => {
    const outcome = await withSanitizer(printed, (path) => sanitize(path, 'memcheck', 0, launches, limitMs));
    expect(outcome.ran).toBe(false);
    return (outcome as { why: string }).why;
  };

  test('a device that it does not support', async () => {
    const memcheck =
      '========= Error: Device not supported. Please refer to the "Supported Devices" section\n========= ERROR SUMMARY: 1 error';
    expect(await whyNot({ memcheck })).toMatch(/compute-sanitizer --tool memcheck said: Error: Device not supported/);
  });

  test('a program that it did not start, though it says 0 errors', async () => {
    expect(await whyNot({ idle: true })).toMatch(/ended with 0/);
  });

  test('kernels that could not be launched', async () => {
    expect(await whyNot({}, [launch])).toMatch(/said: \S/);
  });

  test('one that does not end', async () => {
    expect(await whyNot({ hangs: true }, [], 1500)).toMatch(/took longer than 1.5 s/);
  });

  test('one that cannot be started', async () => {
    const outcome = await sanitize('/nowhere/compute-sanitizer', 'memcheck', 0, [], limit);
    expect(outcome).toMatchObject({ ran: false, why: expect.stringMatching(/could not be started.*ENOENT/) });
  });
});

describe('it is looked for', () => {
  const inFolder = async (use: (folder: string, place: (at: string) => string) => Promise<void>) => {
    const folder = mkdtempSync(join(tmpdir(), 'places-'));
    const place = (at: string) => {
      const path = join(folder, at, 'compute-sanitizer');
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, '#!/bin/sh\n');
      chmodSync(path, 0o755);
      return path;
    };
    try {
      await use(folder, place);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test('by its variable, in PATH, then in CUDA_HOME', () =>
    inFolder(async (folder, place) => {
      const [named, inPath, inHome] = [place('named'), place('path'), place('home/bin')];
      const CUDA_HOME = join(folder, 'home');
      const PATH = `/nowhere:${dirname(inPath)}`;
      expect(await findSanitizer({ PATH, CUDA_HOME, NODE_TENSORRT_COMPUTE_SANITIZER: named })).toEqual({ path: named });
      expect(await findSanitizer({ PATH, CUDA_HOME })).toEqual({ path: inPath });
      expect(await findSanitizer({ PATH: '/nowhere', CUDA_HOME })).toEqual({ path: inHome });
    }));

  test('one that is named and not there is no other one', () =>
    inFolder(async (folder, place) => {
      const PATH = dirname(place('path'));
      const found = await findSanitizer({ PATH, NODE_TENSORRT_COMPUTE_SANITIZER: join(folder, 'none') });
      expect(found).toEqual({
        why: expect.stringMatching(/NODE_TENSORRT_COMPUTE_SANITIZER names .*none, which cannot be run/),
      });
    }));
});
