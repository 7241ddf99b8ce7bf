import { Network, type RecordedNode } from '../dsl/network.js';
import { locate, mark } from '../errors/call-site.js';
import { type ErrorDetails, show, TensorRTError } from '../errors/error.js';

/** Refuses a caller's argument. */
export function refuse(method: string, code: string, message: string, facts: ErrorDetails = {}): never {
  throw new TensorRTError(code, `${method}: ${message}`, { source: locate(mark()), ...facts });
}

/** Refuses a change to a layer, with the place that recorded the layer. */
export function refuseLayer(node: RecordedNode, code: string, message: string, facts: ErrorDetails = {}): never {
  const { kind, name } = node;
  throw new TensorRTError(code, `${kind} '${name}': ${message}`, {
    layer: name,
    kind,
    source: locate(node.mark),
    ...facts,
  });
}

export function requireNetwork(net: unknown, method: string): asserts net is Network {
  if (!(net instanceof Network)) refuse(method, 'ERR_INPUT', `expected a network, given ${show(net)}`, { actual: net });
}

/** Refuses unknown options. */
export function checkOptions(given: unknown, known: readonly string[], method: string): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    refuse(method, 'ERR_PARAMETER', `expected options, given ${show(given)}`, { actual: given });
  }
  const odd = Object.keys(given).find((name) => !known.includes(name));
  if (odd !== undefined) {
    refuse(method, 'ERR_PARAMETER', `there is no option '${odd}'; there are ${known.join(', ')}`, {
      expected: known,
      actual: odd,
    });
  }
}
