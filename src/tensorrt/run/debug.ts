import { TensorRTError } from '../../errors/error.js';
import { thrown } from '../../errors/thrown.js';
import { viewAs } from '../../values/dtype.js';
import type { NativeOutputs } from '../binding.js';
import type { ContextOptions } from './context-options.js';

/** Hands a run's debug tensors to a listener. */
export class DebugReports {
  readonly #listener: ContextOptions['onDebug'];
  /** What an async listener threw first, which nobody else sees. */
  #late: { error: unknown } | undefined;

  constructor(listener: ContextOptions['onDebug']) {
    this.#listener = listener;
  }

  /** @throws ERR_CALLBACK, after the listener got all of them */
  report(tensors: NativeOutputs['debug'] = []): void {
    let first = this.#late;
    this.#late = undefined;
    for (const { name, dtype, shape, data } of tensors) {
      try {
        const promise: unknown = this.#listener?.({ name, dtype, shape, data: viewAs(dtype, new Uint8Array(data)) });
        if (promise instanceof Promise) {
          promise.catch((error) => {
            this.#late ??= { error };
          });
        }
      } catch (error) {
        first ??= { error };
      }
    }
    if (first) throw new TensorRTError('ERR_CALLBACK', `onDebug threw: ${thrown(first.error)}`, { cause: first.error });
  }
}
