import type { TensorRTError } from '../../errors/error.js';
import { Pace } from '../../pace.js';
import type { Malformed } from '../format-error.js';

/** Of reading, in ms and steps. */
const [slice, stride] = [8, 200];

/** For what is read without a budget. */
export const readingPace = (): Pace => new Pace(slice, stride);

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
    super(slice, stride);
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
