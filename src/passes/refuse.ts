import { Network, type RecordedNode } from '../dsl/network.js';
import { locate } from '../errors/call-site.js';
import { type ErrorFacts, type Refusal, show } from '../errors/error.js';
import { refusal, refuse } from '../errors/refusal.js';

/** A layer for errors: refused as what it was, not as what copies it. */
export const factsOf = ({ kind, name }: RecordedNode): ErrorFacts => ({ method: kind, layer: name, kind });

/** Refuses what was made of a layer, which knows its place in the caller's code. */
export function refuseLayer(node: RecordedNode, code: string, message: string, facts?: Refusal): never {
  throw refusal(node.kind, code, message, facts, { ...factsOf(node), source: locate(node.callSite) });
}

export function requireNetwork(net: unknown, method: string): asserts net is Network {
  if (!(net instanceof Network)) refuse(method, 'ERR_INPUT', `expected a network, given ${show(net)}`, { actual: net });
}
