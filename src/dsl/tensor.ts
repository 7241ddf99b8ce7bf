import { isReadable } from '../errors/boundary.js';
import { asText, methodsForOperators } from '../errors/primitive.js';
import type { Dim, Shape } from '../values/dim.js';
import type { DType, TypedArray } from '../values/dtype.js';
import { type IOOptions, readIOOptions } from '../values/io-options.js';
import type { InferredValue } from './define-layer.js';
import type { ValueId } from './ir.js';
import type { Network } from './network.js';

/** Anything layer methods can be called on: a tensor, or a network with exactly one input. The methods come from src/layers and src/modules. */
export abstract class TensorSource {
  /** @internal */
  declare readonly [isReadable]: true;
  /** The tensor itself, or the network's only input. */
  abstract tensor(): Tensor;
  /** Throws where an operator such as `*` asks for a number. @throws ERR_INPUT */
  [Symbol.toPrimitive](hint: string): string {
    return asText(hint, this.toString(), methodsForOperators);
  }
}

Object.defineProperty(TensorSource.prototype, isReadable, { value: true });

/** The graph a tensor belongs to. */
export interface OwningGraph {
  /** False once the body of a loop or conditional is complete; its tensors can no longer be used. */
  open: boolean;
}

/** Whether int32 cannot hold an element, so that it is another one at run time. */
const hasWrapped = ({ dtype, contents }: InferredValue): boolean =>
  dtype === 'int32' && contents!.some((dim) => typeof dim === 'number' && dim !== (dim | 0));

/** Of `tensor.output`. */
export interface OutputOptions extends IOOptions {
  /** Default: the tensor's name. */
  name?: string | undefined;
}

/** A value of a network under construction. */
export class Tensor extends TensorSource {
  /** The network that the tensor is part of. */
  readonly network: Network;
  /** Number of the value within its network. */
  readonly id: ValueId;
  /** Dtype of its elements. */
  readonly dtype: DType;
  /** Numbers, or names and expressions for dynamic dims. */
  readonly shape: Shape;
  /** Known elements of a small integer tensor; used by shape arithmetic. */
  readonly contents?: readonly Dim[];
  /** @internal Elements of a constant of any size, except of narrow dtypes. */
  readonly elements?: TypedArray;
  /** @internal */
  readonly owner: OwningGraph;
  readonly #defaultName: string;

  /** @internal */
  constructor(
    network: Network,
    id: ValueId,
    value: InferredValue,
    shape: Shape,
    defaultName: string,
    home: OwningGraph,
  ) {
    super();
    this.network = network;
    this.id = id;
    this.dtype = value.dtype;
    this.shape = shape;
    if (value.contents && !hasWrapped(value)) this.contents = value.contents;
    if (value.elements) this.elements = value.elements;
    this.owner = home;
    this.#defaultName = defaultName;
  }

  /** The name given by `input` or `output`, or else the name of the layer that produced it. */
  get name(): string {
    return this.network.ioName(this.id) ?? this.#defaultName;
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  override tensor(): Tensor {
    return this;
  }

  /**
   * Marks this tensor as an output of the network and returns it.
   * @throws ERR_DUPLICATE_NAME if another input or output has that name, ERR_PARAMETER
   */
  output(name?: string, options?: IOOptions): this;
  output(options: OutputOptions): this;
  output(given?: string | OutputOptions, more: IOOptions = {}): this {
    const hasName = typeof given !== 'object' || given === null;
    const { name, ...options } = hasName ? { ...more, name: given } : given;
    this.network.markOutput(this, name, readIOOptions(options, 'output', hasName ? [] : ['name']));
    return this;
  }

  /**
   * Marks this tensor for debugging and returns it: a context made with `onDebug` gets its elements in every run, under its name.
   * TensorRT does not fuse the layers on both sides of it. The CPU backend ignores the mark.
   * @throws ERR_INPUT for an input of the network, ERR_NESTED_TENSOR in the body of a loop or conditional
   */
  debug(): this {
    this.network.markDebug(this);
    return this;
  }

  override toString(): string {
    return `Tensor(${this.name}: ${this.dtype}[${this.shape.join(', ')}])`;
  }
}
