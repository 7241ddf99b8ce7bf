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

test.each(Object.keys(references).filter((name) => !name.endsWith('.json')))('%s reads from memory', async (name) => {
  using weights = await parseWeights(fixtureBytes(name), name);
  expect(contents(weights)).toEqual(references[name]!.tensors);
});
