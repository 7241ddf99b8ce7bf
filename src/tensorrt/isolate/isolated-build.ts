import type { TensorRTError } from '../../errors/error.js';
import type { CudaInfo, LibraryInfo } from '../binding.js';
import type { ChooseOptions } from '../library/find.js';
import { acquire, giveBack } from './pool.js';
import type { BuildProcess } from './process.js';
import { RemoteProgram } from './program.js';
import { type Limits, watchMemory, watchTime } from './watch.js';

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

/** One build in a process of its own, which it takes when it first needs it. */
export class IsolatedBuild {
  readonly #name: string;
  readonly #limits: Limits;
  readonly #onLimit: (error: TensorRTError) => void;
  readonly #isFresh: boolean;
  readonly #stopTimer: () => void;
  #process?: BuildProcess;
  #stopLooking?: () => void;
  #isBuilding = false;
  #wasStopped = false;

  /**
   * @param onLimit gets ERR_BUILD_TIMEOUT or ERR_BUILD_MEMORY, and has to call `cancel`
   * @param fresh in a process that has built nothing before
   */
  constructor(name: string, limits: Limits, onLimit: (error: TensorRTError) => void, fresh: boolean) {
    this.#name = name;
    this.#limits = limits;
    this.#onLimit = onLimit;
    // What was built before counts in its memory.
    this.#isFresh = fresh || limits.memoryLimit !== undefined;
    this.#stopTimer = watchTime(limits, () => this.#process?.doing ?? 'looking into the cache', onLimit);
  }

  /** @throws ERR_BUILD_PROCESS */
  #start(): BuildProcess {
    if (!this.#process) {
      this.#process = acquire(this.#isFresh);
      this.#stopLooking = watchMemory(this.#process, this.#limits, this.#onLimit);
    }
    return this.#process;
  }

  /** For `chooseTensorRT`: the child asks the driver, and loads the library. @throws ERR_BUILD_PROCESS */
  get search(): Required<Pick<ChooseOptions, 'load' | 'isLost'>> & { cuda: Promise<CudaInfo> } {
    const process = this.#start();
    const load = async ({ path }: LibraryInfo) => {
      process.doing = `loading ${path}`;
      return (await process.ask({ do: 'load', path }, 'loaded')).library;
    };
    return { cuda: process.cuda, load, isLost: () => !process.isAlive };
  }

  /** @throws ERR_BUILD_PROCESS */
  readonly program = (): RemoteProgram => {
    const process = this.#start();
    process.doing = `building network '${this.#name}'`;
    this.#isBuilding = true;
    return new RemoteProgram(process, this.#name, () => this.cancel());
  };

  /** One timing cache of several. @throws what the addon threw there; why the process ended; ERR_BUILD_PROCESS */
  readonly combine = async (caches: Uint8Array[], library: string, ignoreMismatch: boolean): Promise<Uint8Array> => {
    const request = { do: 'combine', library, caches, ignoreMismatch } as const;
    return new Uint8Array((await this.#start().ask(request, 'combined')).cache);
  };

  /** Ends the build: its promises are rejected within `grace`. */
  cancel(): void {
    this.#wasStopped = true;
    const process = this.#process;
    if (!this.#isBuilding) {
      process?.kill();
      return;
    }
    process!.send({ do: 'cancel' });
    setTimeout(() => this.#isBuilding && process!.kill(), grace);
  }

  /**
   * Gives the process back, if there is one.
   * @returns whether the fault may be what builds before did to the process
   */
  end(error?: { code?: unknown }): boolean {
    this.#stopTimer();
    this.#stopLooking?.();
    this.#isBuilding = false;
    const process = this.#process;
    if (!process) return false;
    const isSound = error === undefined || !unsound.has(error.code);
    giveBack(process, isSound);
    return !isSound && !this.#wasStopped && process.builds > 1;
  }
}
