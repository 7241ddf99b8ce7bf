import { callUser } from '../errors/boundary.js';
import { locate } from '../errors/call-site.js';
import { type SourceLocation, TensorRTError } from '../errors/error.js';
import { isOurs, thrown } from '../errors/thrown.js';
import type { Definition } from './definition.js';
import { refusePlugin } from './fault.js';

/** Errors that name a line of a rule. */
const ofRules = new WeakSet<TensorRTError>();

/** Whether an error names the line of a rule, not that of the call. */
export const isOfRule = (error: TensorRTError): boolean => ofRules.has(error);

/** An error of this package for what a rule threw, with the line where it was thrown. */
function faultOf(definition: Definition, what: string, error: unknown): TensorRTError {
  if (isOurs(error)) {
    ofRules.add(error);
    return error;
  }
  let source: SourceLocation | undefined;
  try {
    source = error instanceof Error ? locate({ stack: error.stack! }) : undefined;
  } catch {
    // An error whose stack cannot be read.
  }
  const said = `rule '${what}' of plugin '${definition.name}' threw: ${thrown(error)}`;
  const fault = new TensorRTError('ERR_PLUGIN', said, { cause: error, source });
  if (source) ofRules.add(fault);
  return fault;
}

/** Runs a rule and reads what it returned; whatever is thrown becomes an error of this package. */
export function runRule<T>(definition: Definition, what: string, call: () => unknown, read: (result: unknown) => T): T {
  let result: unknown;
  try {
    result = callUser(call);
  } catch (error) {
    throw faultOf(definition, what, error);
  }
  try {
    if (result instanceof Promise) {
      result.catch(() => {});
      refusePlugin(`rule '${what}' is async; rules return their result at once`);
    }
    return read(result);
  } catch (error) {
    if (isOurs(error)) throw error;
    throw new TensorRTError('ERR_PLUGIN', `rule '${what}': its result cannot be read: ${thrown(error)}`, {
      cause: error,
    });
  }
}
