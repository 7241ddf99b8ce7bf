import type { Network, RecordedNode } from '../dsl/network.js';
import { locate } from '../errors/call-site.js';
import type { SourceLocation } from '../errors/error.js';
import { formatShape } from '../values/dim.js';
import { bytesOf } from '../values/dtype.js';
import { decodeElements } from '../values/elements.js';
import type { Feeds } from '../values/feeds.js';
import type { OutputComparison } from './results.js';
import type { ComparedResults } from './tensors.js';

/** One of two networks, and how parts of it run. */
export interface Half {
  network: Network;
  /** Prepares and runs a part of the network, which has some of its layers, on feeds for all inputs of that part. */
  run(part: Network, feeds: Feeds): Promise<ComparedResults>;
}

/** A parameter or weight that two layers of one name do not share. */
export interface LayerDifference {
  /** A parameter of TensorRT's, or the role of a weight; behind the name of a layer in the body of a loop or conditional. */
  name: string;
  /** What A has; undefined where it has none. */
  a: unknown;
  /** What B has; undefined where it has none. */
  b: unknown;
}

/** A layer of B at fault. A loop or conditional is one layer, with all that is in it. */
export interface FaultyLayer {
  /** Name of the layer. */
  name: string;
  /** TensorRT layer kind. */
  kind: string;
  /** Where the caller's code recorded it. */
  source?: SourceLocation | undefined;
  /** What is recorded otherwise in A. */
  differences: LayerDifference[];
}

/** What `bisect` found. */
export interface Bisection {
  /**
   * `marked`: with all tensors as outputs, this is the first layer whose outputs differ although its inputs agree.
   * `cut`: the layers from here on differ when they are fed A's tensors, and those after do not.
   * Undefined if no layer was found.
   */
  method?: 'marked' | 'cut' | undefined;
  /** Whether the difference disappeared when all tensors were marked as outputs, as faults of fused layers do. */
  vanished: boolean;
  /** The first layer that differs. */
  first?: FaultyLayer | undefined;
  /** The names of the fewest layers in a row that still show the difference: of one, where it is that layer's own. */
  stretch: string[];
  /** Whether these layers alone, fed with A's tensors, differ. */
  confirmed: boolean;
  /** How the outputs of these layers differ. */
  outputs: OutputComparison[];
  /** What else was found: what could not be marked, cut or built. */
  notes: string[];
  /** How often a part of a network was prepared and run. */
  runs: number;
}

/** A layer of B, and what A has recorded otherwise in `other`. */
export function faultyLayer(a: Network, b: Network, node: RecordedNode, other: RecordedNode | undefined): FaultyLayer {
  const { name, kind } = node;
  return { name, kind, source: locate(node.callSite), differences: other ? differencesBetween(a, b, other, node) : [] };
}

function differencesBetween(a: Network, b: Network, left: RecordedNode, right: RecordedNode): LayerDifference[] {
  const found: LayerDifference[] = [];
  const note = (name: string, x: unknown, y: unknown) => {
    if (JSON.stringify(x) !== JSON.stringify(y)) found.push({ name, a: x, b: y });
  };
  note('kind', left.kind, right.kind);
  for (const name of new Set([...Object.keys(left.params), ...Object.keys(right.params)])) {
    note(name, left.params[name], right.params[name]);
  }
  for (const role of new Set([...Object.keys(left.weights), ...Object.keys(right.weights)])) {
    const [x, y] = [weightOf(a, left, role), weightOf(b, right, role)];
    if (x && y && x.text === y.text) {
      if (!x.bytes.equals(y.bytes)) found.push({ name: role, a: `${x.text}`, b: `${y.text}, other elements` });
    } else found.push({ name: role, a: x?.text, b: y?.text });
  }
  for (const [role, { nodes }] of Object.entries(right.bodies ?? {})) {
    const others = new Map(left.bodies?.[role]?.nodes.map((node) => [node.name, node]));
    for (const node of nodes) {
      const other = others.get(node.name);
      if (!other) found.push({ name: node.name, a: undefined, b: node.kind });
      else
        for (const one of differencesBetween(a, b, other, node))
          found.push({ ...one, name: `${node.name} ${one.name}` });
    }
  }
  return found;
}

/** Shown whole up to this number of elements. */
const fewElements = 4;

function weightOf(net: Network, { weights }: RecordedNode, role: string): { text: string; bytes: Buffer } | undefined {
  const found = weights[role] === undefined ? undefined : net.weights[weights[role]!];
  if (!found) return undefined;
  const { dtype, shape, data } = found;
  const { buffer, byteOffset, byteLength } = bytesOf(data);
  const count = shape.reduce((a, b) => a * b, 1);
  const elements = count <= fewElements ? ` ${Array.from(decodeElements(dtype, data, count)).join(' ')}` : '';
  return { text: `${dtype}${formatShape(shape)}${elements}`, bytes: Buffer.from(buffer, byteOffset, byteLength) };
}
