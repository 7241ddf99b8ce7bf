import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { float32, type Network, network } from '../../../src/index.js';

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cache-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A file system of so many bytes; undefined where this user may mount none. */
export function smallFileSystem(bytes: number): { folder: string; makeReadOnly(): void } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'cache-disk-'));
  const mount = (...args: string[]) => execFileSync('mount', args, { stdio: 'ignore' });
  try {
    mount('-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder);
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  onTestFinished(() => {
    // Engines in it may still be mapped.
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  });
  return { folder, makeReadOnly: () => mount('-o', 'remount,ro', folder) };
}

/** A network of one layer, which TensorRT-RTX builds in some milliseconds. */
export function small(factor = 1, name = 'small'): Network {
  const net = network(name, { x: float32(2, 4) });
  net.linear({ weight: { shape: [4, 4], data: new Float32Array(16).fill(factor) } }).output('y');
  return net;
}
