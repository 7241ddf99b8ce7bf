import { readFileSync } from 'node:fs';
import { TensorRTError } from '../../errors/error.js';
import { sizeText } from './death.js';
import type { BuildProcess } from './process.js';

/** Between two looks at the memory, in ms: where there is a limit, and where it is only told if the process is killed. */
const lookEvery = { limited: 50, else: 250 } as const;

export interface Limits {
  /** Milliseconds from `began` on. */
  timeout?: number | undefined;
  /** In milliseconds of `performance.now()`. */
  began: number;
  /** Most bytes that may be resident. */
  memoryLimit?: number | undefined;
}

/** Bytes of a process that are in memory, files that it maps included; 0 if it has ended. */
function residentOf(pid: number | undefined): number {
  try {
    // VmRSS is in kB: proc(5).
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return 1024 * Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/**
 * Calls `end` with ERR_BUILD_MEMORY once a build's process has more memory than its limit.
 * @returns stops watching
 */
export function watchMemory(
  process: BuildProcess,
  { memoryLimit }: Limits,
  end: (error: TensorRTError) => void,
): () => void {
  const look = () => {
    process.resident = residentOf(process.pid) || process.resident;
    if (memoryLimit === undefined || process.resident <= memoryLimit) return;
    stop();
    const sizes = `${sizeText(process.resident)} (${process.resident} bytes) of ${sizeText(memoryLimit)}`;
    const said = `the build was ended: its process used more memory than memoryLimit allows, ${sizes}, while ${process.doing}`;
    end(new TensorRTError('ERR_BUILD_MEMORY', said, { expected: memoryLimit, actual: process.resident }));
    // It does not wait for TensorRT's next step, which may take more.
    process.kill();
  };
  const looks = setInterval(look, memoryLimit === undefined ? lookEvery.else : lookEvery.limited);
  looks.unref();
  const stop = () => clearInterval(looks);
  return stop;
}

/**
 * Calls `end` with ERR_BUILD_TIMEOUT once a build takes longer than its timeout.
 * @param doing completes "and was …"
 * @returns stops watching
 */
export function watchTime(
  { timeout, began }: Limits,
  doing: () => string,
  end: (error: TensorRTError) => void,
): () => void {
  if (timeout === undefined) return () => {};
  const late = () => {
    const said = `the build was ended: it took longer than its timeout of ${timeout} ms, and was ${doing()}`;
    end(new TensorRTError('ERR_BUILD_TIMEOUT', said, { expected: timeout }));
  };
  const timer = setTimeout(late, Math.max(1, began + timeout - performance.now()));
  return () => clearTimeout(timer);
}
