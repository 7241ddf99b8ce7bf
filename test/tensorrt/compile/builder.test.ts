import { join } from 'node:path';
import { expect, test } from 'vitest';
import { float32, network, type TensorRTError } from '../../../src/index.js';
import { compileLibrary, temporaryFolder } from '../../setup/fake-library.js';

const folder = temporaryFolder();

/** A TensorRT-RTX 1.7.1 that logs a line and creates no builder; ILogger's `log` is the fifth of its table there. */
function withoutBuilder(name: string, severity: number): string {
  return compileLibrary(
    join(folder, name, 'libtensorrt_rtx.so.1'),
    `
int getInferLibVersion(void) { return 10701; }
void* createInferRuntime_INTERNAL(void) { return 0; }
void* createInferBuilder_INTERNAL(void* logger, int version) {
  ((void (***)(void*, int, char const*))logger)[0][4](logger, ${severity}, "Unable to load library: libkernels.so.11.2.1");
  return 0;
}
`,
  );
}

async function errorOf(library: string): Promise<TensorRTError> {
  const net = network('n', { x: float32(2) });
  net.relu().output('y');
  return net.build({ library }).then(
    () => Promise.reject(new Error('it was built')),
    (error: TensorRTError) => error,
  );
}

test('TensorRT’s own reason for creating no builder is in the error', async () => {
  const error = await errorOf(withoutBuilder('told', 1));
  expect(error.code).toBe('ERR_BUILDER');
  expect(error.log).toEqual(['Unable to load library: libkernels.so.11.2.1']);
  expect(error.message).toBe(
    'TensorRT 1.7.1 could not create a builder\n    TensorRT: Unable to load library: libkernels.so.11.2.1',
  );
});

test('without one, the usual reason is named', async () => {
  const error = await errorOf(withoutBuilder('silent', 3));
  expect(error.log).toEqual([]);
  expect(error.message).toBe('TensorRT 1.7.1 could not create a builder (it needs a GPU it supports)');
});
