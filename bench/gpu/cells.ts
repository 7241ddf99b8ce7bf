import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { float16, float32, loadWeights, type Network, network, type Weights, weight } from 'node-tensorrt';
import { resnet } from '../../examples/resnet50/network.js';
import { work } from './report.js';

export type Precision = 'float32' | 'float16';

/** An engine of the figures: one network, one dtype, one batch size. */
export interface Cell {
  id: string;
  network: 'LeNet' | 'ResNet-50';
  precision: Precision;
  batch: number;
  input: string;
  shape: readonly number[];
}

const sizes = { LeNet: ['data', 1, 28, 28], 'ResNet-50': ['image', 3, 224, 224] } as const;

export const cells: readonly Cell[] = (['LeNet', 'ResNet-50'] as const).flatMap((network) =>
  (['float32', 'float16'] as const).flatMap((precision) =>
    [1, 64].map((batch) => {
      const [input, ...rest] = sizes[network];
      return { id: `${network}-${precision}-${batch}`, network, precision, batch, input, shape: [batch, ...rest] };
    }),
  ),
);

export function cell(network: Cell['network'], precision: Precision, batch: number): Cell {
  return cells.find((one) => one.id === `${network}-${precision}-${batch}`)!;
}

export const planOfCell = ({ id }: Cell): string => join(work, `${id}.plan`);
export const inputsOfCell = ({ id }: Cell): string => join(work, `${id}.inputs`);

/** LeNet of examples/mnist, with logits alone. */
function lenet(weights: Weights, precision: Precision): Network {
  const w = weights.as(precision);
  const net = network('lenet', { data: (precision === 'float32' ? float32 : float16)('batch', 1, 28, 28) });
  net
    .conv2d(w.layer('conv1'))
    .pool({ type: 'max', kernel: 2, stride: 2 })
    .conv2d(w.layer('conv2'))
    .pool({ type: 'max', kernel: 2, stride: 2 })
    .flatten()
    .linear(w.layer('fc1'))
    .relu()
    .linear(w.layer('fc2'))
    .output('logits');
  return net;
}

export async function networkOfCell({ network, precision }: Cell): Promise<Network> {
  if (network === 'LeNet') {
    const file = new URL('../../examples/mnist/lenet.safetensors', import.meta.url);
    return lenet(await loadWeights(file.pathname), precision);
  }
  // Random weights, by examples/resnet50/reference.py --full: times do not depend on them.
  const w = await loadWeights(join(work, 'models', 'resnet50', 'weights.safetensors'));
  return resnet(w, JSON.parse(w.metadata.get('config')!), precision);
}

/** Elements as the engine takes them, from -1 to 1, the same in every process. */
export function inputOfCell({ shape, precision }: Cell): Float32Array | Uint16Array {
  let state = 1;
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return weight(values).as(precision).data as Float32Array | Uint16Array;
}

/** Greedy decoding as gpt2_torch.py did it. */
export interface Decoding {
  /** Places of the cache. */
  length: number;
  prompt: number[];
  /** What PyTorch found in float32: one token of the prompt's run, and one a step. */
  tokens: number[];
}
export const readDecoding = (): Decoding => JSON.parse(readFileSync(join(work, 'gpt2.json'), 'utf8')) as Decoding;

/** How many tokens two ways to decode found alike, before the first that differs. */
export function sameAs(expected: readonly number[], found: readonly number[]): string {
  const at = found.findIndex((token, i) => token !== expected[i]);
  return at === -1 ? `all ${found.length}` : `the first ${at}`;
}

/** Largest difference between an output and a file of one. */
export function differenceFrom(file: string, ours: ArrayLike<number>, precision: Precision): number {
  const bytes = readFileSync(file);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const theirs =
    precision === 'float32'
      ? new Float32Array(buffer)
      : weight(new Uint16Array(buffer), [buffer.byteLength / 2], 'float16').toFloat32();
  if (theirs.length !== ours.length) throw new Error(`${file}: ${theirs.length} elements, expected ${ours.length}`);
  return theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - ours[i]!)), 0);
}
