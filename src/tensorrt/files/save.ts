import { readArguments } from '../../errors/boundary.js';
import { show, TensorRTError } from '../../errors/error.js';
import { version as packageVersion } from '../../package/version.js';
import { type Append, reasonOf, writeFileWhole } from '../../write-file.js';
import { binding, type Handle } from '../binding.js';
import { encodeHead, partSize } from './container.js';
import { type EngineMetadata, type EngineTensor, userMetadata } from './metadata.js';

/** Options of `engine.save`. */
export interface SaveOptions {
  /**
   * Write a container, which `loadEngine` reads and other tools do not: the plan with named dims, options, library, GPU and plugins, checksums,
   * and an object of yours if one is given. Default: false, TensorRT's own plan alone. See docs/engine-files.md.
   */
  metadata?: boolean | Readonly<Record<string, unknown>> | undefined;
}

/** What `save` was given, checked. Undefined metadata: a plan alone. */
interface Save {
  path: string;
  metadata: EngineMetadata | undefined;
}

/** What is known of an engine. */
interface Known {
  metadata?: EngineMetadata | undefined;
  inputs: readonly EngineTensor[];
  outputs: readonly EngineTensor[];
}

/** Of an engine that came without metadata: what TensorRT says of its inputs and outputs. */
const knownOf = ({ metadata, inputs, outputs }: Known): EngineMetadata =>
  metadata ?? { generator: `node-tensorrt ${packageVersion}`, inputs, outputs, user: {} };

/** @throws ERR_SAVE */
export function readSave(path: unknown, given: unknown, engine: Known): Save {
  return readArguments('save', [path, given], () => read(path, given, engine), 'ERR_SAVE');
}

function read(path: unknown, given: unknown, engine: Known): Save {
  const fail = (said: string, option?: string) => new TensorRTError('ERR_SAVE', `save: ${said}`, { option });
  if (typeof path !== 'string' || path === '') throw fail(`expected a path, given ${show(path)}`);
  if (given === undefined) return { path, metadata: undefined };
  if (typeof given !== 'object' || given === null) throw fail(`expected options, given ${show(given)}`);
  const unknown = Object.keys(given).find((key) => key !== 'metadata');
  if (unknown !== undefined) throw fail(`no option is called '${unknown}'; there is metadata`, unknown);
  const { metadata = false } = given as SaveOptions;
  if (metadata === false) return { path, metadata: undefined };
  if (metadata === true) return { path, metadata: knownOf(engine) };
  return { path, metadata: { ...knownOf(engine), user: userMetadata(metadata) } };
}

/**
 * Writes a plan, in a container if there is metadata. Neither is copied as a whole.
 * @throws ERR_SAVE
 */
export async function savePlan({ path, metadata }: Save, plan: Handle, size: number): Promise<void> {
  try {
    const head = metadata && (await headOf(metadata, plan, size));
    await writeFileWhole(path, async (append) => {
      if (head) await append(head);
      await appendPlan(append, plan, size);
    });
  } catch (cause) {
    throw unsaved(path, cause);
  }
}

/** @internal */
export const unsaved = (path: string, cause: unknown): TensorRTError =>
  new TensorRTError('ERR_SAVE', `could not write the engine to ${path}: ${reasonOf(cause)}`, { cause });

const headOf = async (metadata: EngineMetadata, plan: Handle, size: number): Promise<Uint8Array> =>
  encodeHead(metadata, size, new Uint32Array(await binding().planChecksums(plan, partSize)));

/** The bytes are written from where they lie. */
async function appendPlan(append: Append, plan: Handle, size: number): Promise<void> {
  for (let at = 0; at < size; at += partSize) {
    await append(new Uint8Array(binding().planView(plan, at, Math.min(partSize, size - at))));
  }
  if (!binding().planIntact(plan)) throw new Error('the file that it was loaded from was changed meanwhile');
}

/** @throws ERR_ENGINE_FILE if the file that the plan is in was changed since it was opened */
export function copyOfPlan(plan: Handle): Uint8Array {
  const bytes = new Uint8Array(binding().planBytes(plan));
  if (binding().planIntact(plan)) return bytes;
  throw new TensorRTError(
    'ERR_ENGINE_FILE',
    'the file that the engine was loaded from was changed since: load it again',
  );
}
