import type { Dim } from '../values/dim.js';
import { type DType, isFloat } from '../values/dtype.js';
import type { TritonOptions } from './options.js';
import { Enumerator, type Message, mapOf, pbtxt } from './pbtxt.js';
import { refuseTriton, type ServedEngine, type ServedTensor } from './served.js';

/** Triton's dtypes, as far as its TensorRT backend takes them (its `ConvertTrtTypeToConfigDataType`). */
const dataTypes: Readonly<Partial<Record<DType, string>>> = {
  float32: 'TYPE_FP32',
  float16: 'TYPE_FP16',
  bfloat16: 'TYPE_BF16',
  int64: 'TYPE_INT64',
  int32: 'TYPE_INT32',
  int8: 'TYPE_INT8',
  uint8: 'TYPE_UINT8',
  bool: 'TYPE_BOOL',
};

/** How Triton is to serve an engine. */
export interface TritonConfig {
  /** `config.pbtxt`. */
  text: string;
  /** 0 where requests are not put together. */
  maxBatchSize: number;
  /** Files of `warmup/` by name: elements that shape tensors are warmed up with. */
  warmupFiles: ReadonlyMap<string, Uint8Array>;
}

/** @throws ERR_TRITON if Triton cannot serve the engine so */
export function tritonConfig(name: string, engine: ServedEngine, options: TritonOptions): TritonConfig {
  const { flavor, version } = engine.library;
  if (flavor === 'rtx1') {
    refuseTriton(`expected an engine of TensorRT, given one of TensorRT-RTX ${version}, which Triton does not run`);
  }
  if (engine.options?.stripPlan) {
    refuseTriton('expected an engine with its weights: Triton does not refit one built with stripPlan');
  }
  const maxBatchSize = batchSize(engine, options.batching);
  const isBatched = maxBatchSize > 0;
  const { instances = 1, gpus, warmup = true } = options;
  const profiles = engine.profiles.map((_, i) => String(i));
  const warmupFiles = new Map<string, Uint8Array>();
  const message: Message = {
    name,
    platform: 'tensorrt_plan',
    max_batch_size: maxBatchSize,
    input: engine.inputs.map((one) => tensorConfig(one, isBatched)),
    output: engine.outputs.map((one) => tensorConfig(one, isBatched)),
    instance_group: [
      {
        count: instances,
        kind: new Enumerator('KIND_GPU'),
        ...(gpus && gpus.length > 0 && { gpus }),
        ...(profiles.length > 1 && { profile: profiles }),
      },
    ],
    dynamic_batching: maxBatchSize > 1 ? batching(engine, options) : undefined,
    optimization: cudaGraphs(engine, options, maxBatchSize),
    model_warmup: warmup ? warmups(engine, isBatched, warmupFiles) : undefined,
  };
  return { text: pbtxt(message), maxBatchSize, warmupFiles };
}

/**
 * The largest batch, as Triton's TensorRT backend computes it: the least of all inputs' first dim at max, in the profile where that is
 * largest. 0 where the first dim is no batch.
 */
function batchSize(engine: ServedEngine, wanted: boolean | undefined): number {
  if (wanted === false) return 0;
  const why = noBatch(engine);
  if (why !== undefined) return wanted ? refuseTriton(`batching: ${why}`) : 0;
  const largest = engine.profiles.map((profile) =>
    Math.min(...engine.inputs.map(({ name }) => profile[name]?.max[0] ?? 0)),
  );
  return Math.max(0, ...largest);
}

/** Why requests cannot be put together. */
function noBatch({ inputs, outputs, hasNames }: ServedEngine): string | undefined {
  const all = [...inputs, ...outputs];
  const first = inputs[0]?.shape[0];
  if (first === undefined) return 'expected an input with a first dim';
  const shaped = inputs.find(({ isShapeTensor }) => isShapeTensor);
  if (shaped) return `'${shaped.name}' is a shape tensor, whose first element Triton would take for the batch`;
  const fixed = all.find(({ shape }) => typeof shape[0] !== 'string');
  if (fixed) return `expected a dynamic first dim in every input and output, and '${fixed.name}' has none`;
  const other = hasNames ? all.find(({ shape }) => shape[0] !== first) : undefined;
  return other && `the first dim of '${other.name}' is ${other.shape[0]}, that of '${inputs[0]!.name}' is ${first}`;
}

const sizeOf = (dim: Dim): number => (typeof dim === 'string' ? -1 : dim);

function tensorConfig({ name, dtype, shape, isShapeTensor }: ServedTensor, isBatched: boolean): Message {
  const type = dataTypes[dtype];
  if (type === undefined) {
    return refuseTriton(
      `expected dtypes of ${Object.keys(dataTypes).join(', ')}, and '${name}' is ${dtype}: cast it in the network`,
    );
  }
  const dims = shape.slice(isBatched ? 1 : 0).map(sizeOf);
  if (dims.includes(0)) refuseTriton(`expected sizes of at least 1, and '${name}' is [${shape.join(', ')}]`);
  if (isShapeTensor && shape.length !== 1) {
    refuseTriton(`expected shape tensors of one axis, and '${name}' has ${shape.length}`);
  }
  return {
    name,
    data_type: new Enumerator(type),
    // Triton takes no empty dims; a reshape to none stands for a scalar.
    dims: dims.length > 0 ? dims : [1],
    ...(dims.length === 0 && { reshape: {} }),
    ...(isShapeTensor && { is_shape_tensor: true }),
  };
}

/** Triton's documentation advises preferred sizes only for engines that have a profile for each. */
function batching({ profiles, inputs }: ServedEngine, { maxQueueDelay = 0 }: TritonOptions): Message {
  const first = inputs[0]!.name;
  const tuned = [...new Set(profiles.map((profile) => profile[first]!.opt[0]!))].sort((a, b) => a - b);
  return {
    ...(tuned.length > 1 && { preferred_batch_size: tuned }),
    ...(maxQueueDelay > 0 && { max_queue_delay_microseconds: maxQueueDelay }),
  };
}

/** Dims of the inputs at opt of a profile, without the batch. */
function tunedDims({ inputs }: ServedEngine, profile: ServedEngine['profiles'][number], isBatched: boolean) {
  return inputs.map((input) => {
    const opt = input.isShapeTensor ? undefined : profile[input.name]?.opt;
    const dims = (opt ?? input.shape.map(sizeOf)).slice(isBatched ? 1 : 0);
    return { input, dims: dims.length > 0 ? dims : [1] };
  });
}

const profilesOf = ({ profiles }: ServedEngine) => (profiles.length > 0 ? profiles : [{}]);

function cudaGraphs(engine: ServedEngine, { cudaGraphs }: TritonOptions, maxBatchSize: number): Message | undefined {
  if (!cudaGraphs || (Array.isArray(cudaGraphs) && cudaGraphs.length === 0)) return undefined;
  const isBatched = maxBatchSize > 0;
  const sizes = Array.isArray(cudaGraphs) ? (cudaGraphs as readonly number[]) : undefined;
  const wrong = sizes?.find((size) => size > maxBatchSize);
  if (wrong !== undefined) {
    refuseTriton(
      `cudaGraphs: expected batch sizes ${isBatched ? `up to ${maxBatchSize}` : 'of a model that is batched'}, given ${wrong}`,
    );
  }
  const specs = profilesOf(engine).flatMap((profile) => {
    const shapes = tunedDims(engine, profile, isBatched).map(({ input, dims }) => [input.name, { dim: dims }] as const);
    const tuned = isBatched ? Math.min(maxBatchSize, ...engine.inputs.map(({ name }) => profile[name]!.opt[0]!)) : 0;
    return (sizes ?? [tuned]).map((batch) => ({ batch_size: batch, input: mapOf(shapes) }));
  });
  const distinct = new Map(specs.map((spec) => [JSON.stringify(spec), spec]));
  return { cuda: { graphs: true, graph_spec: [...distinct.values()] } };
}

/** One run per profile, at the sizes it was tuned for: random floats, zeros for integers, which may be indices. */
function warmups(engine: ServedEngine, isBatched: boolean, files: Map<string, Uint8Array>): Message[] {
  return profilesOf(engine).map((profile, index) => ({
    name: `profile ${index}`,
    batch_size: isBatched ? Math.min(...engine.inputs.map(({ name }) => profile[name]!.opt[0]!)) : 0,
    inputs: mapOf(
      tunedDims(engine, profile, isBatched).map(({ input, dims }) => {
        const { name, dtype, isShapeTensor } = input;
        const type = { data_type: new Enumerator(dataTypes[dtype]!), dims };
        if (!isShapeTensor)
          return [name, { ...type, ...(isFloat(dtype) ? { random_data: true } : { zero_data: true }) }];
        const file = `profile${index}_${engine.inputs.indexOf(input)}`;
        files.set(file, elements(dtype, profile[name]?.opt ?? []));
        return [name, { ...type, input_data_file: file }];
      }),
    ),
  }));
}

function elements(dtype: DType, values: readonly number[]): Uint8Array {
  const data = dtype === 'int64' ? BigInt64Array.from(values, BigInt) : Int32Array.from(values);
  return new Uint8Array(data.buffer);
}
