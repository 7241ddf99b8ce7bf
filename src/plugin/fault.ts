import { captureCallSite, currentCall, locate } from '../errors/call-site.js';
import { show, TensorRTError } from '../errors/error.js';
import type { Refusal } from '../errors/facts.js';

/** Throws ERR_PLUGIN with the caller's line: of a rule while one runs. */
export function refusePlugin(said: string, { expected, actual }: Refusal = {}, code = 'ERR_PLUGIN'): never {
  throw new TensorRTError(code, said, {
    method: currentCall.call?.method,
    source: locate(captureCallSite()),
    expected,
    actual,
  });
}

/** A value as messages show it, on one line. */
export const shown = (value: unknown): string => show(value).slice(0, 200);
