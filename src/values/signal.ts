import { show, TensorRTError } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';

const aborted = (signal: AbortSignal): TensorRTError =>
  new TensorRTError('ERR_ABORTED', 'the run was aborted by its signal', { cause: signal.reason });

/** @throws ERR_PARAMETER if it is no signal, ERR_ABORTED if it was aborted */
export function checkSignal(method: string, signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined) return;
  if (!(signal instanceof AbortSignal)) {
    refuse(method, 'ERR_PARAMETER', `expected an AbortSignal, given ${show(signal)}`, { option: 'signal' });
  }
  if (signal.aborted) throw aborted(signal);
}

/** The same promise, but rejected with ERR_ABORTED as soon as the signal is aborted; `cancel` is called first. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined, cancel: () => void): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(aborted(signal));
      cancel();
    };
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
