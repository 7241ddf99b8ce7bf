import { inspect } from 'node:util';
import { Network } from './dsl/network.js';
import { Tensor } from './dsl/tensor.js';
import { Model } from './model.js';
import { Binding } from './tensorrt/run/bound.js';
import { Context } from './tensorrt/run/context.js';
import { DeviceTensor } from './tensorrt/run/device-tensor.js';
import { Engine } from './tensorrt/run/engine.js';
import { CudaGraph } from './tensorrt/run/graph.js';
import { HostTensor } from './tensorrt/run/host-tensor.js';
import { formatShape, type Shape } from './values/dim.js';
import { Weights } from './weights/store.js';
import { Weight } from './weights/weight.js';

interface IO {
  name: string;
  dtype: string;
  shape: Shape;
}

const list = (io: readonly IO[]): string =>
  io.map(({ name, dtype, shape }) => `${name} ${dtype}${formatShape(shape)}`).join(', ') || 'none';
const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** A class and how its objects print on one line. Its own name may be another one in a bundle. */
const row = <T extends object>(name: string, type: abstract new (...args: never[]) => T, text: (value: T) => string) =>
  [name, type, text as (value: object) => string] as const;

const engineText = ({ library, size, inputs, outputs }: Engine): string =>
  `${library.flavor} ${library.version}, ${count(size, 'byte')}: ${list(inputs)} → ${list(outputs)}`;

function weightsText(weights: Weights): string {
  const names = weights.names();
  const files = [...new Set(names.map((name) => weights.info(name).file))];
  const more = files.length > 1 ? ` and ${count(files.length - 1, 'file')} more` : '';
  return `${count(names.length, 'tensor')}${files.length > 0 ? ` of ${files[0]}${more}` : ''}`;
}

const rows = [
  row('Tensor', Tensor, ({ name, dtype, shape }) => `${name}: ${dtype}${formatShape(shape)}`),
  row('Network', Network, ({ name, inputs, outputs, graph }) => {
    const marked = outputs.map(({ name, tensor: { dtype, shape } }) => ({ name, dtype, shape }));
    return `${name}: ${list(inputs)} → ${list(marked)}, ${count(graph.nodes.length, 'layer')}`;
  }),
  row('Weights', Weights, weightsText),
  row('Weight', Weight, ({ label, dtype, shape }) => `${label}: ${dtype}${formatShape(shape)}`),
  row('Engine', Engine, engineText),
  row('Context', Context, ({ engine }) => engineText(engine)),
  row('Binding', Binding, ({ context }) => engineText(context.engine)),
  row('CudaGraph', CudaGraph, ({ context }) => engineText(context.engine)),
  row(
    'HostTensor',
    HostTensor,
    ({ dtype, shape, isPinned }) => `${dtype}${formatShape(shape)}${isPinned ? '' : ', not page-locked'}`,
  ),
  row('DeviceTensor', DeviceTensor, ({ dtype, shape, device }) => `${dtype}${formatShape(shape)}, GPU ${device}`),
  row('Model', Model, ({ backend, engine }) => (engine ? `${backend}; engine of ${engineText(engine)}` : backend)),
];

/** Makes `console.log` and `String` show each of the package's objects as one short line. The package's entry calls it once. */
export function installInspection(): void {
  for (const [name, type, text] of rows) {
    const print = function (this: object): string {
      try {
        return `${name}(${text(this)})`;
      } catch {
        // A disposed store.
        return `${name}()`;
      }
    };
    const define = (key: PropertyKey) =>
      Object.defineProperty(type.prototype, key, { value: print, configurable: true, writable: true });
    define(inspect.custom);
    // Tensors and weights have their own, which messages quote.
    if (!Object.hasOwn(type.prototype, 'toString')) define('toString');
  }
}
