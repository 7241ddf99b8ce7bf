import { factsOfLayers, namedLayers } from '../../dsl/named-layers.js';
import type { RecordedNode } from '../../dsl/network.js';
import { locate } from '../../errors/call-site.js';
import { TensorRTError } from '../../errors/error.js';

export interface NativeError extends Error {
  code?: string;
  layer?: string;
  kind?: string;
  log?: string[];
}

function find(nodes: readonly RecordedNode[], name: string): RecordedNode | undefined {
  for (const node of nodes) {
    if (node.name === name) return node;
    for (const body of Object.values(node.bodies ?? {})) {
      const inner = find(body.nodes, name);
      if (inner) return inner;
    }
  }
  return undefined;
}

/** Calls the addon and turns its errors into TensorRTErrors. */
export function native<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw describe([], error as NativeError);
  }
}

/** A function of its own, which keeps the recorded layers alive and nothing else. */
export const factsFrom = (nodes: readonly RecordedNode[]) => (log: readonly string[]) =>
  factsOfLayers(namedLayers(log, nodes));

/** TensorRT's words where it found no kernel for a layer, or for what it fused from several. */
const noKernel = /Could not find any implementation/;

/** What may help there. */
function remedy(layers: readonly RecordedNode[]): string {
  const halves = layers.some(({ outputs }) => outputs.some(({ dtype }) => dtype === 'float16' || dtype === 'bfloat16'));
  const cast = halves ? " or float32 there (.cast('float32') before, and back after)" : '';
  return `; with another optimizationLevel (0 to 5)${cast} it may find an implementation`;
}

/** The addon's error, with the places where the layers that it is about were recorded. */
export function describe(nodes: readonly RecordedNode[], error: NativeError): TensorRTError {
  if (error instanceof TensorRTError) return error;
  const { code = 'ERR_INTERNAL', message, layer, kind, log } = error;
  if (layer !== undefined) {
    const source = locate(find(nodes, layer)?.callSite);
    return new TensorRTError(code, message, { layer, kind, source, log, cause: error });
  }
  const layers = namedLayers(log ?? [], nodes);
  const help = log?.some((line) => noKernel.test(line)) ? remedy(layers) : '';
  return new TensorRTError(code, message + help, { ...factsOfLayers(layers), log, cause: error });
}
