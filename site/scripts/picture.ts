import { join } from 'node:path';
import * as entry from '../../src/index.js';
import { root } from './paths.js';

// The picture of the home page: the network that the sample of the README records, drawn from its graph.

const width = 560;
const rowHeight = 40;
const columns = { weights: 8, layers: 190, shapes: 388 };

const markup = (text: string) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]!);
const shapeText = (shape: entry.Shape) => markup(`[${shape.map(String).join(', ')}]`);

/** Runs what the sample does before it compiles. */
async function networkOf(sample: string): Promise<entry.Network> {
  const code = sample.slice(sample.indexOf('const w = '), sample.indexOf('const model = '));
  const file = join(root, 'examples/digits/digits.safetensors');
  const script = code.replace(/new URL\(import\.meta\.resolve\(.*?\)\)\)/, "'')");
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (...args: unknown[]) => Promise<entry.Network>;
  const run = new AsyncFunction('float32', 'loadWeights', 'network', `${script}; return net;`);
  return run(entry.float32, () => entry.loadWeights(file), entry.network);
}

function box(x: number, y: number, w: number, kind: string, text: string): string {
  return `<rect class="${kind}" x="${x}" y="${y}" width="${w}" height="28" rx="6"/><text x="${x + w / 2}" y="${y + 19}" text-anchor="middle">${markup(text)}</text>`;
}

/** The layers from the input to the output, with the weights each takes from the file, and the shape each gives. */
export async function pictureOfExample(sample: string): Promise<string> {
  const net = await networkOf(sample);
  const { inputs, nodes } = net.graph;
  const center = columns.layers + 85;
  const parts: string[] = [];
  let y = 44;
  const arrow = (from: number) => `<path class="arrow" d="M${center} ${from + 28} V${from + rowHeight - 2}"/>`;
  parts.push(
    `<text class="title" x="${columns.weights}" y="20">digits.safetensors</text>`,
    `<text class="title" x="${center}" y="20" text-anchor="middle">recorded layers</text>`,
    `<text class="title" x="${columns.shapes}" y="20">shapes</text>`,
  );
  const shape = (text: string, at: number) => `<text class="shape" x="${columns.shapes}" y="${at + 19}">${text}</text>`;
  parts.push(box(columns.layers, y, 170, 'end', inputs[0]!.name), shape(shapeText(inputs[0]!.shape), y), arrow(y));
  // A weight that TensorRT takes as a constant layer is drawn beside the layer that uses it.
  const constants = new Map(nodes.filter(({ kind }) => kind === 'constant').map((node) => [node.outputs[0]!.id, node]));
  const layers = nodes.filter(({ kind }) => kind !== 'constant');
  for (const node of layers) {
    y += rowHeight;
    const sources = [node, ...node.inputs.flatMap((id) => (id === null ? [] : (constants.get(id) ?? [])))];
    const names = sources.flatMap(({ weights }) => Object.values(weights)).flatMap((id) => net.weights[id]!.name ?? []);
    if (names.length > 0) {
      const text = names.length === 1 ? names[0]! : names[0]!.replace(/[^.]*$/, '*');
      parts.push(
        box(columns.weights, y, 140, 'weights', text),
        `<path class="arrow" d="M${columns.weights + 140} ${y + 14} H${columns.layers - 2}"/>`,
      );
    }
    parts.push(box(columns.layers, y, 170, 'layer', node.name), shape(shapeText(node.outputs[0]!.shape), y), arrow(y));
  }
  y += rowHeight;
  parts.push(box(columns.layers - 60, y, 290, 'end', 'TensorRT engine, or the CPU backend'));
  const title = `The network of the example: ${layers.length} layers from the input to the output`;
  return [
    `<svg class="picture" viewBox="0 0 ${width} ${y + 40}" role="img" aria-label="${title}">`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 Z"/></marker></defs>',
    ...parts,
    '</svg>',
  ].join('\n');
}
