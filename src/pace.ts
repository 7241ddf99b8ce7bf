/** Lets other events happen while much is done: `if (pace.due()) await pace.rest()` in every long loop. */
export class Pace {
  readonly #slice: number;
  readonly #stride: number;
  #since = 0;
  #began = performance.now();

  /**
   * @param slice the longest to keep the event loop, in ms; what follows a look at the clock may take as long again
   * @param stride steps between two looks at the clock
   */
  constructor(slice: number, stride: number) {
    this.#slice = slice;
    this.#stride = stride;
  }

  /** Whether it is time to rest, after so many more steps. */
  due(steps = 1): boolean {
    this.#since += steps;
    if (this.#since < this.#stride) return false;
    this.#since = 0;
    return performance.now() - this.#began > this.#slice;
  }

  async rest(): Promise<void> {
    await new Promise(setImmediate);
    this.#began = performance.now();
  }
}
