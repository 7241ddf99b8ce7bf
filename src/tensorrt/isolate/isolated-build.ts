import type { TensorRTError } from '../../errors/error.js';
import type { CudaInfo } from '../binding.js';
import type { ChooseOptions } from '../library/find.js';
import { acquire, giveBack } from './pool.js';
import type { BuildProcess } from './process.js';
import { RemoteProgram } from './program.js';
import { type Limits, watch } from './watch.js';

/** TensorRT may end by itself at its next step, which keeps the process for the next build; then it is ended. In ms. */
const grace = 250;

/** After these, a process is not trusted with another build. */
const unsound: ReadonlySet<unknown> = new Set([
  'ERR_BUILDER',
  'ERR_BUILD_PROCESS',
  'ERR_INTERNAL',
  'ERR_MEMORY',
  'ERR_OUT_OF_MEMORY',
  'ERR_TENSORRT_CRASHED',
  'ERR_THREAD',
]);

/** One build in a process of its own. */
export class IsolatedBuild {
  readonly #process: BuildProcess;
  readonly #name: string;
  readonly #stopWatching: () => void;
  #isBuilding = false;
  #wasStopped = false;

  /**
   * @param onLimit gets ERR_BUILD_TIMEOUT or ERR_BUILD_MEMORY, and has to call `cancel`
   * @param fresh in a process that has built nothing before
   * @throws ERR_BUILD_PROCESS
   */
  constructor(name: string, limits: Limits, onLimit: (error: TensorRTError) => void, fresh: boolean) {
    // What was built before counts in its memory.
    this.#process = acquire(fresh || limits.memoryLimit !== undefined);
    this.#name = name;
    this.#stopWatching = watch(this.#process, limits, onLimit);
  }

  /** For `chooseTensorRT`: the child asks the driver, and loads the library. */
  get search(): Required<Pick<ChooseOptions, 'load' | 'isLost'>> & { cuda: Promise<CudaInfo> } {
    const process = this.#process;
    const load = async (path: string) => {
      process.doing = `loading ${path}`;
      return (await process.ask({ do: 'load', path }, 'loaded')).library;
    };
    return { cuda: process.cuda, load, isLost: () => !process.isAlive };
  }

  readonly program = (): RemoteProgram => {
    this.#process.doing = `building network '${this.#name}'`;
    this.#isBuilding = true;
    return new RemoteProgram(this.#process, this.#name, () => this.cancel());
  };

  /** One timing cache of several. @throws what the addon threw there; why the process ended */
  readonly combine = async (caches: Uint8Array[], library: string, ignoreMismatch: boolean): Promise<Uint8Array> => {
    const request = { do: 'combine', library, caches, ignoreMismatch } as const;
    return new Uint8Array((await this.#process.ask(request, 'combined')).cache);
  };

  /** Ends the build: its promises are rejected within `grace`. */
  cancel(): void {
    this.#wasStopped = true;
    if (!this.#isBuilding) {
      this.#process.kill();
      return;
    }
    this.#process.send({ do: 'cancel' });
    setTimeout(() => this.#isBuilding && this.#process.kill(), grace);
  }

  /**
   * Gives the process back.
   * @returns whether the fault may be what builds before did to the process
   */
  end(error?: { code?: unknown }): boolean {
    this.#stopWatching();
    this.#isBuilding = false;
    const isSound = error === undefined || !unsound.has(error.code);
    giveBack(this.#process, isSound);
    return !isSound && !this.#wasStopped && this.#process.builds > 1;
  }
}
