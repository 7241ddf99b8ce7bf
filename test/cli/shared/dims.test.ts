import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { inFlags, parseDims, parseProfile, profilesOf, sizesOf } from '../../../src/cli/shared/dims.js';
import { parseSet, settingsOf } from '../../../src/cli/shared/model-file.js';
import { float32, network } from '../../../src/index.js';
import { defaultRanges } from '../../../src/tensorrt/compile/profiles.js';

test('a warning of a build without profiles names the flag, and no other is changed', () => {
  const { inputs } = network('net', { x: float32('batch', 3, 'h'), y: float32('batch', 'm.k') });
  const told = defaultRanges(inputs)!;
  expect(told).toMatch(/give profiles: \[\{ batch: /);
  expect(inFlags(told, inputs)).toBe(
    'no profiles were given, so batch, h, m.k may be 1 to 64, tuned for 8; for other sizes, give --dims batch=min:opt:max,h=min:opt:max,m.k=min:opt:max',
  );
  expect(inFlags('give profiles', inputs)).toBe('give profiles');
  expect(inFlags('give profiles', [{ shape: [3] }])).toBe('give profiles');
});

describe('--dims', () => {
  test('sizes, ranges, several at a time and repeated, elements', () => {
    expect(parseDims('batch=8')).toEqual({ batch: 8 });
    expect(parseDims('batch=1:8:64')).toEqual({ batch: [1, 8, 64] });
    expect(parseDims('height=224,width=1:2:3', { batch: 1 })).toEqual({ batch: 1, height: 224, width: [1, 2, 3] });
    expect(parseDims('sizes=1x1:8x8:64x64')).toEqual({
      sizes: [
        [1, 1],
        [8, 8],
        [64, 64],
      ],
    });
    expect(parseDims('sizes=2x3')).toEqual({
      sizes: [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
    });
    expect(parseDims('a=b=-1')).toEqual({ 'a=b': -1 });
  });

  test.each([
    '',
    'batch',
    '=8',
    'batch=',
    'batch=8:9',
    'batch=1:2:3:4',
    'batch=1.5',
    'batch=1e3',
    'a=1,',
    'a=99999999999999999999',
  ])('%j is refused', (text) => {
    expect(() => parseDims(text)).toThrow(InvalidArgumentError);
  });

  test('what controls the terminal is escaped in the refusal', () => {
    expect(() => parseDims('\x1b]0;owned\x07')).toThrow(/\\u001b\]0;owned/);
  });

  test('every --profile has the dims of --dims, and its own first', () => {
    const profiles = parseProfile('batch=1', parseProfile('batch=8:8:8,height=7'));
    expect(profilesOf(parseDims('batch=3,width=5'), profiles)).toEqual([
      { batch: [8, 8, 8], height: 7, width: 5 },
      { batch: 1, width: 5 },
    ]);
    expect(profilesOf(undefined, undefined)).toBeUndefined();
    expect(profilesOf({ batch: 2 }, undefined)).toEqual([{ batch: 2 }]);
  });

  test('a run has sizes: of a range the middle', () => {
    expect(sizesOf(parseDims('batch=1:8:64,height=7,sizes=1x1'))).toEqual({ batch: 8, height: 7 });
  });
});

test('--set gives JSON as what it says, and any other text as it is', () => {
  const set = ['size=224', 'name=a=b', 'deep=true', 'dims=[1,2]', 'text="7"', 'empty='].reduce(
    (all, one) => parseSet(one, all),
    {},
  );
  expect(settingsOf(set)).toEqual({ size: 224, name: 'a=b', deep: true, dims: [1, 2], text: '7', empty: '' });
  expect(() => parseSet('size')).toThrow(InvalidArgumentError);
});
