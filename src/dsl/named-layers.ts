import { locate } from '../errors/call-site.js';
import type { ErrorFacts } from '../errors/facts.js';
import type { RecordedNode } from './network.js';

// What TensorRT and onnxruntime complain about, in the layers of the network that they were given.

/** Where a line of their logs may name layers. Prose is left out: `relu` there is no layer called so. */
const places = [
  /\bI[A-Z]\w*Layer (.+?): /g,
  /\((?:Assertion .+? failed\. )?([^()]+?) has no runners/g,
  /\b[Nn]ode:? (.+?)(?:\.? In \w|\.? due to |\.?\)?$)/gm,
  /\{ForeignNode\[(.+?)\]\}/g,
  / Error \(([^()]+?): /g,
  /"([^"]+)"|'([^']+)'|`([^`]+)`/g,
  /\bfused (\S+)/g,
];

/** Fused names join several: `conv1 + norm`, `PWN(mul, add)`, `first...last`. Parts of a layer are called `conv1/bias`. */
const opens = /(?:^|[\s([{|+,]|\.\.\.)$/;
const ends = /^(?:$|[\s)\]}|+,:/#]|\.\.\.|\.$)/;

type Known = ReadonlyMap<string, RecordedNode>;

function collect(nodes: readonly RecordedNode[], known: Map<string, RecordedNode>): Map<string, RecordedNode> {
  for (const node of nodes) {
    known.set(node.name, node);
    for (const body of Object.values(node.bodies ?? {})) collect(body.nodes, known);
  }
  return known;
}

/** The layers in a text that holds nothing but names, the longest names first. */
function* namesIn(text: string, known: Known, longest: number): Generator<RecordedNode> {
  for (let from = 0; from < text.length; from++) {
    if (!opens.test(text.slice(Math.max(0, from - 3), from))) continue;
    for (let to = Math.min(text.length, from + longest); to > from; to--) {
      const node = ends.test(text.slice(to, to + 3)) ? known.get(text.slice(from, to)) : undefined;
      if (!node) continue;
      yield node;
      from = to - 1;
      break;
    }
  }
}

const mostText = 20_000;

/** The recorded layers, nested ones too, that log lines name, in the order of the lines. */
export function namedLayers(lines: readonly string[], nodes: readonly RecordedNode[]): RecordedNode[] {
  const known = collect(nodes, new Map());
  const longest = Math.max(0, ...Array.from(known.keys(), (name) => name.length));
  const text = lines.join('\n').slice(0, mostText);
  const found = places.flatMap((place) => [...text.matchAll(place)]).sort((a, b) => a.index - b.index);
  const named = found.flatMap((match) => match.slice(1).flatMap((part) => [...namesIn(part ?? '', known, longest)]));
  return [...new Set(named)];
}

/** What an error says about the layers at fault. */
export function factsOfLayers(nodes: readonly RecordedNode[]): ErrorFacts {
  const [first, ...others] = nodes.map(({ name, kind, method, callSite }) => {
    return { layer: name, kind, method, source: locate(callSite) };
  });
  return others.length === 0 ? (first ?? {}) : { layers: [first!, ...others] };
}
