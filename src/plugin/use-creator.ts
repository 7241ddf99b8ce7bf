import { Tensor } from '../dsl/tensor.js';
import { suggestion } from '../errors/nearest.js';
import { convertFields, type FieldValue } from './creator-fields.js';
import { resolveCreator } from './creators.js';
import { describeExisting, type ExistingOutput } from './existing.js';
import { refusePlugin, shown } from './fault.js';
import type { CreatorParams } from './layer.js';

/** How to use a creator that TensorRT knows. */
export interface CreatorUse {
  /** Default: the only one of that name; `1` before `loadPluginLibrary`. */
  version?: string | undefined;
  /** Default: the only one of that name; none before `loadPluginLibrary`. */
  namespace?: string | undefined;
  /** By the names of the creator's list, which `pluginCreators()` and `node-tensorrt plugins ls` show. */
  fields?: Readonly<Record<string, FieldValue | undefined>> | undefined;
  /** Tensors, in order. */
  inputs?: readonly Tensor[] | undefined;
  /** int32 or int64 tensors whose elements the host knows. */
  shapeInputs?: readonly Tensor[] | undefined;
  /** Default: what the plugin says itself, which needs TensorRT. */
  outputs?: readonly ExistingOutput[] | undefined;
  /** Of the layer. */
  name?: string | undefined;
}

const keys = ['version', 'namespace', 'fields', 'inputs', 'shapeInputs', 'outputs', 'name'];
const linear = 'inputs and outputs are linear (row-major) here; TensorRT reformats where a plugin wants another format';

/** Most tensors of one layer. */
const most = 1000;

function tensorsOf(value: unknown, what: string): Tensor[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > most) {
    return refusePlugin(`${what}: expected a list of at most ${most} tensors, given ${shown(value)}`);
  }
  return Array.from(value, (one, i) => {
    return one instanceof Tensor ? one : refusePlugin(`${what}[${i}]: expected a tensor, given ${shown(one)}`);
  });
}

function text(value: unknown, what: string): string | undefined {
  return value === undefined || typeof value === 'string'
    ? value
    : refusePlugin(`${what}: expected a string, given ${shown(value)}`);
}

/**
 * The inputs and parameters of a layer of an existing creator.
 * @param first inputs before those of `use`
 * @throws ERR_PLUGIN, ERR_PLUGIN_MISSING, ERR_PLUGIN_FIELD
 */
export function creatorParams(
  name: string,
  given: unknown,
  first: readonly Tensor[],
): { inputs: Tensor[]; params: CreatorParams; name: string | undefined } {
  if (typeof given !== 'object' || given === null || Array.isArray(given) || given instanceof Tensor) {
    return refusePlugin(`expected options such as { version, fields, inputs }, given ${shown(given)}`);
  }
  for (const key of Object.keys(given)) {
    if (keys.includes(key)) continue;
    if (/^formats?$/.test(key)) refusePlugin(`${key}: ${linear}`);
    refusePlugin(`unknown option ${shown(key)}${suggestion(key, keys) || `; expected ${keys.join(', ')}`}`, {
      expected: keys,
      actual: key,
    });
  }
  const use = given as CreatorUse;
  if (name === '') refusePlugin('expected the name of a plugin creator, given an empty text');
  const creator = resolveCreator(name, text(use.version, 'version'), text(use.namespace, 'namespace'));
  const shapeInputs = tensorsOf(use.shapeInputs, 'shapeInputs');
  const inputs = [...first, ...tensorsOf(use.inputs, 'inputs'), ...shapeInputs];
  const values: unknown = use.fields ?? {};
  if (typeof values !== 'object' || Array.isArray(values)) {
    refusePlugin(`fields: expected values by name, given ${shown(values)}`);
  }
  const fields = convertFields(creator, values as Readonly<Record<string, unknown>>);
  const outputs =
    use.outputs ??
    describeExisting({
      ...creator,
      fields,
      inputs: inputs.map(({ dtype, shape }) => ({ dtype, shape })),
      shapeInputs: shapeInputs.length,
    });
  return { name: use.name, inputs, params: { creator, fields, shapeInputs: shapeInputs.length, outputs } };
}
