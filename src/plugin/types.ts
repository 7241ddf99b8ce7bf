import type { Tensor } from '../dsl/tensor.js';
import type { DType, HalfArray, TypedArray } from '../values/dtype.js';
import type { Scalar } from '../values/elements.js';
import type { Attribute, Attributes } from './attributes.js';
import type { FloatType, IntegerType } from './recipe.js';
import type { AnySize, SizeHelpers, SizeLike } from './sizes.js';

// What a definition is made of. I: names of inputs, S: of shape inputs, A: attributes, O: names of outputs.

/** Sizes along the axes; those beyond the rank are undefined. */
export interface PluginShape extends ReadonlyArray<AnySize> {
  /** Size along the first axis. */
  readonly 0: AnySize;
  /** Size along the second axis. */
  readonly 1: AnySize;
  /** Size along the third axis. */
  readonly 2: AnySize;
  /** Size along the fourth axis. */
  readonly 3: AnySize;
  /** Size along the fifth axis. */
  readonly 4: AnySize;
  /** Size along the sixth axis. */
  readonly 5: AnySize;
  /** Size along the seventh axis. */
  readonly 6: AnySize;
  /** Size along the eighth axis. */
  readonly 7: AnySize;
  /** From the end, if negative. */
  at(axis: number): AnySize;
}

/** A tensor, as rules see it. Sizes that only the run knows are `Size`s. In `launch` it is also an argument: its address. */
export interface PluginTensor {
  /** Name of the input or output. */
  readonly name: string;
  /** Dtype of its elements in this layer. */
  readonly dtype: DType;
  /** Number of axes. */
  readonly rank: number;
  /** Its sizes. */
  readonly shape: PluginShape;
  /** Number of elements. */
  readonly size: AnySize;
}

/** A small integer tensor whose elements rules may read, because the host knows them. */
export interface PluginShapeInput extends PluginTensor {
  /** Its elements, in row-major order. */
  readonly values: PluginShape;
}

/** Scratch memory of a launch: `workspace` is its address, `workspace.at(bytes)` one inside it. */
export interface PluginWorkspace {
  /** An address inside it, in bytes from its begin. */
  at(bytes: SizeLike): PluginWorkspace;
}

/** An argument of a kernel, with its type: `int32(x.shape[0])`. */
export interface PluginArgument {
  /** Type of the kernel's parameter. */
  readonly type: string;
}

/** An attribute in `launch`: an argument of its own type; `value` is what it is. */
export interface PluginAttributeArgument<Value> extends PluginArgument {
  /** The attribute's value. */
  readonly value: Value;
}

/** `int32(…)` and the like: integer arguments. @throws ERR_PLUGIN for a known value that does not fit */
export type IntegerArguments = { readonly [T in IntegerType]: (value: SizeLike) => PluginArgument };
/** `float32(…)` and the like. A size only becomes float32 or float64. */
export type FloatArguments = { readonly [T in FloatType]: (value: SizeLike) => PluginArgument };

/** What rules get for an attribute. */
export type AttributeRuleValue<T> = T extends Attribute<infer _, infer Value> ? Value : never;
/** What callers give for an attribute. */
export type GivenAttribute<T> = T extends Attribute<infer Given, infer _> ? Given : never;

/** Attributes as rules get them. */
export type AttributeValues<A extends Attributes> = { readonly [K in keyof A]: AttributeRuleValue<A[K]> };

/** Names of the attributes without a default. */
export type RequiredAttributes<A extends Attributes> = {
  [K in keyof A]: A[K] extends Attribute<infer _, infer _, true> ? K : never;
}[keyof A];

/** Attributes as callers give them. */
export type GivenAttributes<A extends Attributes> = { readonly [K in RequiredAttributes<A>]: GivenAttribute<A[K]> } & {
  readonly [K in Exclude<keyof A, RequiredAttributes<A>>]?: GivenAttribute<A[K]> | undefined;
};

/** The inputs by name. */
export type PluginInputs<I extends string, S extends string> = { readonly [K in I]: PluginTensor } & {
  readonly [K in S]: PluginShapeInput;
};

/** How large an output is whose size the kernel computes. */
export interface SizeTensorOptions {
  /** A typical size; TensorRT tunes for it. */
  opt: SizeLike;
  /** The largest size; memory is reserved for it. */
  upper: SizeLike;
}

/** What `outputs` gets. */
export type OutputsContext<I extends string, S extends string, O extends string> = PluginInputs<I, S> &
  SizeHelpers & {
    /** A size that the kernel writes to output `name`, an int32 or int64 of rank 0. */
    sizeTensor(name: O, options: SizeTensorOptions): AnySize;
  };

/** What `workspace` gets. */
export type WorkspaceContext<I extends string, S extends string, O extends string> = PluginInputs<I, S> & {
  readonly [K in O]: PluginTensor;
} & SizeHelpers;

/** What `launch` gets: tensors and attributes as arguments, and what makes arguments of numbers and sizes. */
export type LaunchContext<
  I extends string,
  S extends string,
  A extends Attributes,
  O extends string,
> = WorkspaceContext<I, S, O> &
  IntegerArguments &
  FloatArguments & { readonly [K in keyof A]: PluginAttributeArgument<AttributeRuleValue<A[K]>> } & {
    readonly workspace: PluginWorkspace;
  };

/** One, two or three sizes: x, y and z. */
export type LaunchSizes = SizeLike | readonly SizeLike[];

/** One launch of a kernel. */
export interface KernelLaunch {
  /** The function's name in the CUDA source; `space::name` within a namespace. */
  kernel: string;
  /** Template arguments: dtypes and other strings become C++ types, numbers and booleans constants. */
  template?: readonly (DType | (string & {}) | number | bigint | boolean)[] | undefined;
  /** Blocks. */
  grid: LaunchSizes;
  /** Threads of a block: at most 1,024. */
  block: LaunchSizes;
  /** Dynamic shared memory, in bytes. Default: 0. */
  sharedMemory?: SizeLike | undefined;
  /** The kernel's parameters, in order and of their types. */
  args: readonly (PluginTensor | PluginWorkspace | PluginArgument)[];
}

/** Sets the bytes of an output or of scratch memory. */
export interface MemoryFill {
  /** What is filled. */
  fill: PluginTensor | PluginWorkspace;
  /** A byte, 0 to 255. */
  value: number;
  /** Default: all of the tensor. Scratch memory has none. */
  bytes?: SizeLike | undefined;
}

/** A step of a launch: a kernel, or bytes to set. */
export type LaunchStepLike = KernelLaunch | MemoryFill;

/**
 * A tensor on the host. Elements are numbers: floats of all widths but float64 in a Float32Array, int64 in a BigInt64Array, int4 in
 * an Int8Array, bool as 0 and 1 in a Uint8Array. They are a copy, so a reference may change them, and return them.
 */
export interface ReferenceTensor {
  /** Dtype of the tensor in the network. */
  readonly dtype: DType;
  /** Its sizes. */
  readonly shape: readonly number[];
  /** Its elements, row-major. */
  readonly data: TypedArray;
}

/**
 * What a reference returns for an output: elements as numbers, which are rounded to the output's dtype, or as `run` takes feeds of
 * that dtype. Their shape follows from the rule `outputs`; one that is given must be the same.
 */
export type ReferenceResult =
  | TypedArray
  | HalfArray
  | Scalar
  | readonly Scalar[]
  | {
      readonly dtype?: DType | undefined;
      readonly shape?: readonly number[] | undefined;
      readonly data: TypedArray | HalfArray | readonly Scalar[];
    };

/** Names of the outputs, from the rows of dtypes. */
export type OutputsOf<R, I extends string> = R extends unknown ? Exclude<keyof R & string, I> : never;

/** Dtypes by input and output. */
export type PluginTypes = Readonly<Record<string, DType>>;
/** A row has every input. */
export type PluginInputTypes<I extends string> = { readonly [K in I]: DType };

/** A plugin in one object; see `definePlugin`. R: rows of dtypes, T: tactics. */
export interface PluginDefinition<
  I extends string,
  S extends string,
  A extends Attributes,
  R extends PluginTypes,
  T extends object,
> {
  /** With the version, what engines know the plugin by: letters, digits, `_`, `.`, `:` and `-`. */
  name: string;
  /** Version of the plugin: give another one whenever what it computes changes. */
  version: string;
  /** Names of the tensors, in TensorRT's order. */
  inputs: readonly I[];
  /** Names of int32 or int64 tensors of rank 0 or 1 that the host knows; they come last. */
  shapeInputs?: readonly S[] | undefined;
  /** Ranks that are taken: one, or the least and the most. */
  ranks?: { readonly [K in NoInfer<I | S>]?: number | readonly [least: number, most: number] } | undefined;
  /** Constants of a layer by name, made with `attr`. */
  attributes?: A | undefined;
  /** Allowed combinations of dtypes. The first row's names that are no inputs are the outputs, in TensorRT's order. */
  types: readonly (R & PluginInputTypes<NoInfer<I | S>>)[];
  /** Shapes of the outputs. One that `sizeTensor` names is left out. */
  outputs(
    tensors: OutputsContext<I, S, OutputsOf<R, I | S>>,
    attributes: AttributeValues<A>,
  ): { readonly [K in OutputsOf<R, I | S>]?: readonly SizeLike[] };
  /** Outputs that are an input, updated in place, by output. */
  aliases?: { readonly [K in OutputsOf<R, I | S>]?: I } | undefined;
  /** Bytes of scratch memory. */
  workspace?:
    | ((tensors: WorkspaceContext<I, S, OutputsOf<R, I | S>>, attributes: AttributeValues<A>) => SizeLike)
    | undefined;
  /** CUDA C++: a file, or the source itself. */
  cuda: string | URL;
  /** Options of NVRTC, e.g. `--use_fast_math`. */
  options?: readonly string[] | undefined;
  /** What TensorRT times and chooses from: `launch` gets one of them. */
  tactics?: readonly T[] | undefined;
  /** What runs, in order. */
  launch(tensors: LaunchContext<I, S, A, OutputsOf<R, I | S>>, tactic: T): readonly LaunchStepLike[];
  /** The same in JavaScript, for the CPU backend and tests. */
  reference?:
    | ((
        inputs: { readonly [K in I | S]: ReferenceTensor },
        attributes: AttributeValues<A>,
      ) => { readonly [K in OutputsOf<R, I | S>]: ReferenceResult })
    | undefined;
  /** The same as layers, for backends without plugins and tests. */
  decompose?:
    | ((
        inputs: { readonly [K in I | S]: Tensor },
        attributes: AttributeValues<A>,
      ) => { readonly [K in OutputsOf<R, I | S>]: Tensor })
    | undefined;
}
