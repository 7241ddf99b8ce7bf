import { expect, test } from 'vitest';
import { asOurs } from '../../../src/tensorrt/run/call-addon.js';
import { readContextOptions } from '../../../src/tensorrt/run/context-options.js';
import { refusal } from '../../refusal.js';

const rtx = (given: unknown) => readContextOptions({ rtx: given }).native.rtx;

test('names become TensorRT-RTX’s enumerators', () => {
  const cache = Uint8Array.of(1, 2);
  const given = { cudaGraphStrategy: 'wholeGraph', dynamicShapesKernelSpecialization: 'eager', runtimeCache: cache };
  expect(rtx(given)).toEqual({
    cudaGraphStrategy: 'whole_graph_capture',
    dynamicShapesKernelSpecialization: 'eager',
    runtimeCache: cache,
  });
  expect([rtx({}), rtx(undefined)]).toEqual([{}, undefined]);
});

test.each([
  [1, 'rtx', 'expected an object, given 1'],
  [{ cudaGraphStrategy: 'whole' }, 'rtx.cudaGraphStrategy', "expected 'disabled' or 'wholeGraph', given 'whole'"],
  [{ cudaGraphStrategy: 'toString' }, 'rtx.cudaGraphStrategy', "given 'toString'"],
  [
    { dynamicShapesKernelSpecialization: true },
    'rtx.dynamicShapesKernelSpecialization',
    "expected 'lazy', 'eager' or 'none', given true",
  ],
  [{ runtimeCache: 'file' }, 'rtx.runtimeCache', "expected a Uint8Array, given 'file'"],
])('%o is refused', (given, option, said) => {
  const error = refusal(() => rtx(given));
  expect(error).toMatchObject({ code: 'ERR_PARAMETER', option });
  expect(error.message).toContain(said);
});

test('an option that there is not is refused', () => {
  expect(refusal(() => rtx({ cache: 1 })).message).toContain('cache');
});

test('an error has TensorRT’s code where TensorRT gave one', () => {
  const given = Object.assign(new Error('no'), { code: 'ERR_RUN', log: ['a'], tensorrtCode: 'kINVALID_ARGUMENT' });
  expect(asOurs(given)).toMatchObject({ code: 'ERR_RUN', log: ['a'], tensorrtCode: 'kINVALID_ARGUMENT' });
  expect(asOurs(new Error('no'))).not.toHaveProperty('tensorrtCode');
});
