import { TensorRTError } from '../../errors/error.js';

/** Counts the runs of a context that have not ended. */
export class Queue {
  readonly #inFlight: number;
  readonly #maxQueued: number;
  #pending = 0;

  constructor(inFlight: number, maxQueued: number) {
    this.#inFlight = inFlight;
    this.#maxQueued = maxQueued;
  }

  /** @throws ERR_QUEUE_FULL */
  requireRoom(): void {
    if (this.#pending < this.#maxQueued + this.#inFlight) return;
    throw new TensorRTError(
      'ERR_QUEUE_FULL',
      `${this.#maxQueued} runs wait already: wait for some of them, or give createContext a larger maxQueued`,
      { expected: this.#maxQueued, actual: this.#maxQueued + 1 },
    );
  }

  enter(): void {
    this.#pending++;
  }

  leave(): void {
    this.#pending--;
  }
}
