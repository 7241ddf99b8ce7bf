import type { TensorRTError } from '../../errors/error.js';
import type { Malformed } from '../format-error.js';

/** The longest that reading keeps the event loop, in ms. What follows a look at the clock may take as long again. */
const slice = 8;
/** Steps between two looks at the clock. */
const stride = 200;

/** Lets other events happen while much is done: `if (pace.due()) await pace.rest()` in every loop over what a file holds. */
export class Pace {
  #since = 0;
  #began = performance.now();

  /** Whether it is time to rest, after so many more steps. */
  due(steps = 1): boolean {
    this.#since += steps;
    if (this.#since < stride) return false;
    this.#since = 0;
    return performance.now() - this.#began > slice;
  }

  async rest(): Promise<void> {
    await new Promise(setImmediate);
    this.#began = performance.now();
  }
}

const least = 2 ** 20;
const perByte = 2;

/**
 * What reading one file may cost, in steps of some 50 ns and 16 bytes: a million, and two for each byte of the file. Weight files
 * take less than one for each byte; files that repeat or nest what they hold without end take more.
 */
export class Work extends Pace {
  #spent = 0;
  readonly #allowed: number;

  /** @param bytes size of the file */
  constructor(
    readonly bytes: number,
    readonly fail: Malformed,
  ) {
    super();
    this.#allowed = least + perByte * bytes;
  }

  /** Steps so far. */
  get spent(): number {
    return this.#spent;
  }

  /** @throws ERR_WEIGHTS_FORMAT beyond what the file may cost */
  spend(steps: number): void {
    this.#spent += steps;
    if (this.#spent > this.#allowed) throw this.#tooMuch();
  }

  #tooMuch(): TensorRTError {
    return this.fail(
      `takes more than ${this.#allowed} steps to read, which is what ${this.bytes} bytes may cost: it repeats or nests things as no weight file does`,
    );
  }
}

/** What a step is to characters that are built or compared, and to bytes that are inflated. */
export const charactersPerStep = 16;
/** Steps that a tensor, or another thing with a name, takes from being found to being listed. */
export const stepsPerName = 40;
