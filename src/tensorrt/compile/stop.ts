import { TensorRTError } from '../../errors/error.js';
import { thrown } from '../../errors/thrown.js';

/** Ends a build early: on its signal, or when a callback throws. */
export class Stop {
  cancel?: () => void;
  #error?: TensorRTError;
  readonly #signal?: AbortSignal;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    if (signal?.aborted) this.#abort();
    signal?.addEventListener('abort', this.#abort, { once: true });
  }

  readonly #abort = () => {
    this.end(new TensorRTError('ERR_ABORTED', 'the build was aborted by its signal', { cause: this.#signal!.reason }));
  };

  /** Calls a callback; if it throws, the build ends. */
  guard(name: string, call: () => unknown): void {
    if (this.#error) return;
    try {
      // What an async callback throws is a rejection that nobody else sees.
      const promise: unknown = call();
      if (promise instanceof Promise) promise.catch((cause) => this.#endBy(name, cause));
    } catch (cause) {
      this.#endBy(name, cause);
    }
  }

  #endBy(name: string, cause: unknown): void {
    this.end(new TensorRTError('ERR_CALLBACK', `${name} threw: ${thrown(cause)}`, { cause }));
  }

  /** Ends the build with an error, unless it was ended before. */
  end(error: TensorRTError): void {
    this.#error ??= error;
    this.cancel?.();
  }

  check(): void {
    if (this.#error) throw this.#error;
  }

  dispose(): void {
    this.#signal?.removeEventListener('abort', this.#abort);
  }
}
