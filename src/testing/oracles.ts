import { onnxruntimeState } from '../cpu/onnxruntime.js';
import { decomposed } from '../passes/decompose-plugins.js';
import { fixedNetwork, type Outputs, runOnCpu } from './network.js';
import type { Subject } from './subject.js';

/** Why the CPU backend does not run here; undefined if it does. */
export async function whyNoCpu(): Promise<string | undefined> {
  const { error } = await onnxruntimeState();
  return error === null ? undefined : `the CPU backend needs onnxruntime-node: ${error}`;
}

/** What the reference computes, on the CPU backend. */
export const runReference = (subject: Subject): Promise<Outputs> => runOnCpu(fixedNetwork(subject), subject);

/** What the layers that stand for the plugin compute, on the CPU backend. */
export async function runDecomposition(subject: Subject): Promise<Outputs> {
  const net = fixedNetwork(subject);
  return runOnCpu(decomposed(net, net.name), subject);
}
