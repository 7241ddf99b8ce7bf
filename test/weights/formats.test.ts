import { expect, test } from 'vitest';
import { loadWeights, parseWeights } from '../../src/weights/index.js';
import { contents, fixture, fixtureBytes, references } from './helpers.js';

// Every file that the official Python libraries wrote reads as they read it: names, dtypes, shapes and bytes.
test.each(Object.keys(references))('%s reads as Python reads it', async (name) => {
  const reference = references[name]!;
  using weights = await loadWeights(fixture(name));
  expect(contents(weights)).toEqual(reference.tensors);
  expect(Object.fromEntries(weights.metadata)).toEqual(reference.metadata ?? {});
  expect(weights.unused()).toEqual([]);
});

const single = Object.keys(references).filter((name) => !name.endsWith('.json'));

test.each(single)('%s reads from memory', async (name) => {
  using weights = await parseWeights(fixtureBytes(name), name);
  expect(contents(weights)).toEqual(references[name]!.tensors);
});

// A Buffer's `slice` shares memory: where a reader copies, it must not move, misalign or change what the caller has.
test.each(single)('%s reads from a Buffer at an odd place, which stays as it is', async (name) => {
  const bytes = fixtureBytes(name);
  const given = Buffer.alloc(bytes.length + 1);
  given.set(bytes, 1);
  const before = Buffer.from(given);
  using weights = await parseWeights(given.subarray(1), name);
  for (const tensor of weights.names()) {
    const { hex } = references[name]!.tensors[tensor]!;
    expect(Buffer.from(weights.get(tensor).peek()).toString('hex')).toBe(hex);
  }
  expect(contents(weights)).toEqual(references[name]!.tensors);
  expect(given).toEqual(before);
});
