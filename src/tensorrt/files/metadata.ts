import { z } from 'zod';
import { TensorRTError } from '../../errors/error.js';
import { loneSurrogate } from '../../strict-json.js';
import type { Dim } from '../../values/dim.js';
import { parseDim } from '../../values/dim-parse.js';
import { type DType, dtypes } from '../../values/dtype.js';
import type { Flavor, HeldOptions } from '../binding.js';
import { damaged } from './source.js';

/** A plugin that an engine needs. */
export interface EnginePlugin {
  /** Name of the plugin. */
  name: string;
  /** Version of the plugin. */
  version: string;
  /** Namespace; usually empty. */
  namespace: string;
  /**
   * Who has its code: `'plan'` for one of `definePlugin`, whose rules and kernels are in the plan, and for one of a library that is in the plan,
   * too (`pluginsToSerialize`); `'tensorrt'` for libnvinfer_plugin; `'library'` for a library that has to be loaded before.
   */
  code: 'plan' | 'tensorrt' | 'library';
  /** With `'library'`: the path it had where the engine was built, if `loadPluginLibrary` loaded it. */
  library?: string | undefined;
  /** Names of the layers. */
  layers: readonly string[];
}

/** An input or output as the network had it. */
export interface EngineTensor {
  /** Its name. */
  name: string;
  /** Its dtype. */
  dtype: DType;
  /** Numbers, and names or expressions for dynamic dims. */
  shape: readonly Dim[];
  /** What its elements are, if the network says so. */
  note?: string | undefined;
}

/** What a file says about the engine in it. All but `user` is absent in files of others. */
export interface EngineMetadata {
  /** The package that wrote it, e.g. `node-tensorrt 0.1.0`. */
  generator?: string | undefined;
  /** Name of the network. */
  name?: string | undefined;
  /** The library that built it. */
  library?: { flavor: Flavor; version: string } | undefined;
  /** The GPU it was built on, and the CUDA version that its driver supports. */
  gpu?: { name: string; computeCapability: string; driver: string | null } | undefined;
  /** The build options as TensorRT held them. */
  options?: HeldOptions | undefined;
  /** The inputs, as the network had them. */
  inputs?: readonly EngineTensor[] | undefined;
  /** The outputs, as the network had them. */
  outputs?: readonly EngineTensor[] | undefined;
  /** Hash of the network without the elements of its weights. */
  graphHash?: string | undefined;
  /** The plugins that it needs. */
  plugins?: readonly EnginePlugin[] | undefined;
  /** How its weights were made from files, for `engine.refit`. */
  refit?: Readonly<Record<string, unknown>> | undefined;
  /** What was given to `save`; of a file of Ultralytics', its metadata. */
  user: Readonly<Record<string, unknown>>;
}

const most = 100_000;
const text = z.string().max(4096);
const dim = z.union([z.int().min(0), z.string().max(4096)]).transform((value, context) => {
  const parsed = typeof value === 'number' ? value : parseDim(value);
  if (parsed === undefined) context.addIssue('no dim');
  return parsed ?? 0;
});
const tensor = z.object({ name: text, dtype: z.enum(dtypes), shape: z.array(dim).max(8), note: text.optional() });
const plugin = z.object({
  name: text,
  version: text,
  namespace: text,
  code: z.enum(['plan', 'tensorrt', 'library']),
  library: text.optional(),
  layers: z.array(text).max(most),
});
const anything = z.record(z.string(), z.unknown());
const schema = z.object({
  generator: text.optional(),
  name: text.optional(),
  library: z
    .object({ flavor: z.enum(['trt10', 'trt11', 'rtx1']), version: z.string().regex(/^\d+\.\d+\.\d+$/) })
    .optional(),
  gpu: z.object({ name: text, computeCapability: z.string().regex(/^\d+\.\d+$/), driver: text.nullable() }).optional(),
  options: anything.transform((options) => options as HeldOptions).optional(),
  inputs: z.array(tensor).max(most).optional(),
  outputs: z.array(tensor).max(most).optional(),
  graphHash: text.optional(),
  plugins: z.array(plugin).max(most).optional(),
  refit: anything.optional(),
  user: anything,
});

/**
 * Checks the metadata of a container. Keys that this release does not know are left out: later ones may add some.
 * @throws ERR_ENGINE_FILE
 */
export function checkMetadata(json: Record<string, unknown>, name: string): EngineMetadata {
  const parsed = schema.safeParse(json);
  // Zod leaves out a key called `__proto__`.
  if (parsed.success) return { ...parsed.data, user: json.user as EngineMetadata['user'] };
  const { path, message } = parsed.error.issues[0]!;
  throw damaged(name, `has metadata that is wrong at ${path.join('.') || 'its root'}: ${message}`);
}

/**
 * What a caller wants to be kept with an engine, copied.
 * @throws ERR_SAVE if it is no plain object, or JSON would not give it back
 */
export function userMetadata(given: unknown): Record<string, unknown> {
  const fail = (problem: string) => new TensorRTError('ERR_SAVE', `save: metadata ${problem}`, { option: 'metadata' });
  const check = (value: unknown, path: string, around: readonly unknown[]): unknown => {
    if (typeof value === 'string' && loneSurrogate.test(value)) throw fail(`has half a surrogate pair at ${path}`);
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    if (typeof value !== 'object' || around.length > 100 || around.includes(value))
      throw fail(`cannot be JSON at ${path}`);
    const inside = [...around, value];
    if (Array.isArray(value)) return Array.from(value, (one, i) => check(one, `${path}[${i}]`, inside));
    if (![Object.prototype, null].includes(Object.getPrototypeOf(value))) throw fail(`cannot be JSON at ${path}`);
    const entries = Object.entries(value).filter(([, one]) => one !== undefined);
    if (entries.some(([key]) => loneSurrogate.test(key))) throw fail(`has half a surrogate pair in a key of ${path}`);
    return Object.fromEntries(entries.map(([key, one]) => [key, check(one, `${path}.${key}`, inside)]));
  };
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw fail('is not an object');
  }
  return check(given, 'metadata', []) as Record<string, unknown>;
}
