import { type ErrorFacts, TensorRTError } from '../../errors/error.js';
import { binding, type Handle } from '../binding.js';

/** What an error says about the layers that TensorRT's log names. */
export type FactsOf = (log: readonly string[]) => ErrorFacts;

/** The addon's error as one of this package. */
export function asOurs(error: unknown, factsOf?: FactsOf): TensorRTError {
  if (error instanceof TensorRTError) return error;
  const { code, message, log, tensorrtCode } = error as Error & {
    code?: string;
    log?: string[];
    tensorrtCode?: string;
  };
  const facts = { ...factsOf?.(log ?? []), log, tensorrtCode, cause: error };
  return new TensorRTError(code ?? 'ERR_INTERNAL', message, facts);
}

/** Calls the addon and turns its errors into TensorRTErrors. */
export async function callAddon<T>(call: () => Promise<T>, factsOf?: FactsOf): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asOurs(error, factsOf);
  }
}

/** The same for a call that returns at once. */
export function callNow<T>(call: () => T, factsOf?: FactsOf): T {
  try {
    return call();
  } catch (error) {
    throw asOurs(error, factsOf);
  }
}

/** Frees a native object without waiting for it. */
export function free(handle: Handle): void {
  void binding().release(handle);
}

export const disposed = (what: string): TensorRTError => new TensorRTError('ERR_DISPOSED', `the ${what} was disposed`);

/** Begins to use a GPU, which takes a good part of a second in a new process. Whatever uses it says what is wrong with it. */
export function openDevice(device: number): void {
  binding()
    .openDevice(device)
    .catch(() => {});
}
