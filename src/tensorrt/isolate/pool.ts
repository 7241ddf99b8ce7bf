import { BuildProcess, circumstances } from './process.js';

/** How long a process is kept for the next build, in ms. */
const keepFor = 60_000;

/** At most one waits, because each holds TensorRT's kernels, and memory on the GPU. */
let kept: { process: BuildProcess; timer: NodeJS.Timeout } | undefined;

/** Takes the process that waits, if there is one. */
function takeKept(): BuildProcess | undefined {
  if (!kept) return undefined;
  const { process, timer } = kept;
  kept = undefined;
  clearTimeout(timer);
  if (process.isAlive && process.circumstances === circumstances()) return process;
  process.kill();
  return undefined;
}

/** A process for one build. @param fresh none that has built before @throws ERR_BUILD_PROCESS */
export function acquire(fresh: boolean): BuildProcess {
  const process = (fresh ? undefined : takeKept()) ?? new BuildProcess();
  process.hold(true);
  process.builds++;
  return process;
}

/** Gives it back once its build is over. @param sound whether it can build again */
export function giveBack(process: BuildProcess, sound: boolean): void {
  process.hold(false);
  if (!sound || !process.isAlive || kept) {
    process.kill();
    return;
  }
  process.doing = 'waiting for a build';
  const timer = setTimeout(() => takeKept()?.kill(), keepFor);
  timer.unref();
  kept = { process, timer };
}
