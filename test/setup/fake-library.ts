import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

/** A folder that is removed when the test file is done. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'node-tensorrt-test-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Compiles C to a shared library. */
export function compileLibrary(path: string, source: string, ...flags: string[]): string {
  mkdirSync(dirname(path), { recursive: true });
  const { status, stderr } = spawnSync('gcc', ['-shared', '-fPIC', ...flags, '-x', 'c', '-', '-o', path], {
    input: source,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return path;
}

/** A library that reports the given TensorRT release and has no other TensorRT function. */
export function fakeTensorRT(path: string, release: number, ...flags: string[]): string {
  return compileLibrary(path, `int getInferLibVersion(void) { return ${release}; }`, ...flags);
}
