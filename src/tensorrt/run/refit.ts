import { show, TensorRTError } from '../../errors/error.js';
import { bytesOf, viewAs } from '../../values/dtype.js';
import { mappingOf } from '../../values/weight.js';
import { aligned } from '../aligned.js';
import { binding, type Handle, type NativeEngine, type NativeWeight } from '../binding.js';
import type { EngineMetadata } from '../files/metadata.js';
import { namesText, plainPlan, type RefitElements, refitElements } from '../refit/elements.js';
import { fromJSON } from '../refit/json.js';
import { sourceNames } from '../refit/plan.js';
import { type RefitWeights, type Tensors, tensorsOf } from '../refit/tensors.js';
import { callAddon } from './call-addon.js';

/** Options of `engine.refit`. */
export interface EngineRefitOptions {
  /** Keep those weights of which the given ones lack a tensor. Default: false, and they are an error. */
  partial?: boolean | undefined;
  /** Let TensorRT look for elements that it cannot represent, such as those beyond float16, which takes time. Default: true. */
  validate?: boolean | undefined;
}

/** What a refit did. */
export interface RefitReport {
  /** Names, in the file the engine was built from, of the tensors whose elements the engine now has. */
  refitted: string[];
  /** Names of the tensors that the given weights lack: empty without `partial`. */
  missing: string[];
  /** Names of given tensors that the engine has no use for. */
  unused: string[];
  /** TensorRT's names of refittable weights that come from no file, such as constants, and stay as they are. */
  kept: string[];
  /** Milliseconds it took, waiting for runs under way included. */
  ms: number;
}

const wrong = (message: string): TensorRTError => new TensorRTError('ERR_REFIT', `refit: ${message}`);

function readOptions(given: EngineRefitOptions): Required<{ [name in keyof EngineRefitOptions]: boolean }> {
  if (typeof given !== 'object' || given === null) throw wrong(`expected options, given ${show(given)}`);
  const { partial = false, validate = true, ...others } = given;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw wrong(`no option is called '${unknown}'; there are partial, validate`);
  for (const [name, value] of Object.entries({ partial, validate })) {
    if (typeof value !== 'boolean') throw wrong(`${name}: expected true or false, given ${show(value)}`);
  }
  return { partial, validate };
}

/** A refit that took what it was given, and can begin. */
export interface Refit {
  /** @throws what `engine.refit` throws */
  run(engine: Handle): Promise<RefitReport>;
}

/** Reads the arguments of `engine.refit`, which the caller may change afterwards. @param json how the weights were made, if that is known */
export function startRefit(
  json: EngineMetadata['refit'],
  weights: RefitWeights,
  given: EngineRefitOptions = {},
): Refit {
  const start = performance.now();
  const options = readOptions(given);
  const plan = json && fromJSON(json);
  const nameOf = plan ? sourceNames(plan) : ({ source }: { source: string }) => source;
  const tensors = tensorsOf(weights, nameOf);
  const run = async (engine: Handle): Promise<RefitReport> => {
    const listed = await callAddon(() => binding().refittable(engine));
    const made = await refitElements(plan ?? plainPlan(listed), listed, tensors, nameOf, options.partial);
    if (made.weights.length > 0) await give(engine, made, options.validate);
    return report(made, tensors, performance.now() - start);
  };
  return { run };
}

const report = ({ refitted, missing, kept }: RefitElements, tensors: Tensors, ms: number): RefitReport => ({
  refitted,
  missing,
  unused: tensors.unused(),
  kept,
  ms,
});

/** The engine, of which TensorRT does not say that its plan was stripped. */
export function marked(engine: NativeEngine): NativeEngine {
  binding().markStripped(engine.handle);
  return engine;
}

/** Whether the plan has no weights. */
export const isStripped = (metadata: EngineMetadata | undefined): boolean => metadata?.refit?.stripped === true;

/** Of an engine that is serialized with its weights. */
export const renewed = (metadata: EngineMetadata | undefined): EngineMetadata | undefined =>
  metadata?.refit ? { ...metadata, refit: { ...metadata.refit, stripped: false } } : metadata;

/** @throws ERR_ENGINE_WEIGHTS if the engine has no weights yet */
export function requireWeights(metadata: EngineMetadata | undefined, engine: Handle): void {
  if (!isStripped(metadata) || binding().refits(engine) > 0) return;
  throw new TensorRTError(
    'ERR_ENGINE_WEIGHTS',
    "the engine's plan was stripped of its weights: give it some by engine.refit(weights), or loadEngine(path, { weights })",
  );
}

/** Elements where the addon can use them: in their file's mapping, or copied to memory that lasts until the refit ends. */
function placed({ weights }: RefitElements): { weights: NativeWeight[]; release(): void } {
  const size = weights.reduce((sum, { made }) => sum + (mappingOf(made.data) ? 0 : aligned(made.byteLength)), 0);
  const memory = size > 0 ? binding().allocate(size) : undefined;
  let at = 0;
  const list = weights.map(({ name, dtype, made }): NativeWeight => {
    const { data, shape } = made;
    const mapping = mappingOf(data);
    if (mapping) return { name, dtype, shape, data, mapping };
    const copy = new Uint8Array(memory!.view(at, made.byteLength));
    copy.set(bytesOf(data));
    at += aligned(made.byteLength);
    return { name, dtype, shape, data: viewAs(dtype, copy), mapping: memory };
  });
  return { weights: list, release: () => memory?.close() };
}

async function give(engine: Handle, made: RefitElements, validate: boolean): Promise<void> {
  const { weights, release } = placed(made);
  try {
    const whole = made.missing.length === 0;
    const needed = await callAddon(() => binding().refit(engine, weights, whole, validate));
    if (needed.length === 0) return;
    throw wrong(
      `TensorRT has made one of several weights, and needs ${namesText(needed)} too; the engine is as it was: give them all, or build it anew`,
    );
  } finally {
    release();
  }
}
