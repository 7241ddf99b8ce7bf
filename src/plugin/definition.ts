import { fileURLToPath } from 'node:url';
import { captureCallSite, locate } from '../errors/call-site.js';
import type { SourceLocation } from '../errors/error.js';
import { suggestion } from '../errors/nearest.js';
import { type DType, dtypes } from '../values/dtype.js';
import { isRecord } from '../values/record.js';
import { maxRank } from '../values/spec.js';
import { argumentMakers } from './arguments.js';
import { type Attribute, isAttribute } from './attributes.js';
import { refusePlugin, shown } from './fault.js';
import type { CudaSource } from './kernel-source.js';
import { sizeHelpers } from './sizes.js';

export type Rule = (first: never, second: never) => unknown;

/** A definition that was checked: nothing of it is the caller's any more, except the rules. */
export interface Definition {
  readonly name: string;
  readonly version: string;
  /** Tensors, then shape inputs. */
  readonly inputs: readonly string[];
  /** How many of the inputs are tensors. */
  readonly tensors: number;
  readonly outputs: readonly string[];
  readonly ranks: ReadonlyMap<string, readonly [least: number, most: number]>;
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** Dtypes by input and output. */
  readonly types: readonly ReadonlyMap<string, DType>[];
  /** Inputs by the output that updates them. */
  readonly aliases: ReadonlyMap<string, string>;
  /** A path, or source. */
  readonly cuda: CudaSource;
  readonly options: readonly string[];
  /** Undefined where the definition has none. */
  readonly tactics: readonly object[] | undefined;
  readonly outputsRule: Rule;
  readonly workspaceRule: Rule | undefined;
  readonly launchRule: Rule;
  readonly reference: Rule | undefined;
  readonly decompose: Rule | undefined;
  /** Where it was defined. */
  readonly source: SourceLocation | undefined;
}

const identifier = /^[A-Za-z_]\w*$/;
const label = /^[\w.:-]{1,200}$/;
/** Most names of one kind. */
const most = 100;

/** Names that rules know already. */
const taken = new Set([...Object.keys(sizeHelpers), ...Object.keys(argumentMakers), 'sizeTensor', 'workspace']);

/** Dtypes that TensorRT's plugins have. */
const pluginTypes = dtypes.filter((dtype) => !['uint8', 'float4e2m1', 'float8e8m0'].includes(dtype));

const keys = [
  'name',
  'version',
  'inputs',
  'shapeInputs',
  'ranks',
  'attributes',
  'types',
  'outputs',
  'aliases',
  'workspace',
  'cuda',
  'options',
  'tactics',
  'launch',
  'reference',
  'decompose',
];

const entriesOf = (value: unknown, what: string): [string, unknown][] => {
  if (value === undefined) return [];
  if (!isRecord(value)) return refusePlugin(`${what}: expected an object, given ${shown(value)}`);
  const entries = Object.entries(value);
  if (entries.length > most) refusePlugin(`${what}: expected at most ${most} entries, given ${entries.length}`);
  return entries;
};

function listOf(value: unknown, what: string, least = 0): unknown[] {
  if (!Array.isArray(value) || value.length < least || value.length > most) {
    const given = Array.isArray(value) ? `${value.length}` : shown(value);
    return refusePlugin(`${what}: expected a list of ${least} to ${most}, given ${given}`);
  }
  return Array.from(value);
}

function names(value: unknown, what: string, least: number): string[] {
  return listOf(value, what, least).map((name) => checkName(name, what));
}

function checkName(name: unknown, what: string): string {
  if (typeof name !== 'string' || !identifier.test(name) || name === '__proto__' || name.length > 200) {
    return refusePlugin(`${what}: expected a name of letters, digits and _, given ${shown(name)}`);
  }
  if (taken.has(name)) refusePlugin(`${what}: '${name}' is what rules call a function; choose another name`);
  return name;
}

function text(value: unknown, what: string): string {
  if (typeof value === 'string' && label.test(value)) return value;
  return refusePlugin(`${what}: expected letters, digits, _ . : and -, given ${shown(value)}`);
}

function rule(value: unknown, what: string): Rule {
  if (typeof value === 'function') return value as Rule;
  return refusePlugin(`${what}: expected a function, given ${shown(value)}`);
}

const optional = (value: unknown, what: string): Rule | undefined =>
  value === undefined ? undefined : rule(value, what);

function requireKnown(name: string, known: readonly string[], what: string): void {
  if (known.includes(name)) return;
  refusePlugin(`${what}: '${name}' is not among ${known.join(', ')}${suggestion(name, known)}`);
}

function ranksOf(value: unknown, inputs: readonly string[]): Definition['ranks'] {
  return new Map(
    entriesOf(value, 'ranks').flatMap(([name, given]) => {
      requireKnown(name, inputs, 'ranks');
      if (given === undefined) return [];
      const pair: unknown[] = Array.isArray(given) ? given : [given, given];
      const [least, greatest] = [pair[0], pair[1]] as [number, number];
      const isRank = (rank: unknown) => Number.isInteger(rank) && (rank as number) >= 0 && (rank as number) <= maxRank;
      if (pair.length !== 2 || !isRank(least) || !isRank(greatest) || least > greatest) {
        refusePlugin(`ranks.${name}: expected a rank of 0 to ${maxRank} or [least, most], given ${shown(given)}`);
      }
      return [[name, [least, greatest] as const]];
    }),
  );
}

function attributesOf(value: unknown): Definition['attributes'] {
  return new Map(
    entriesOf(value, 'attributes').map(([name, attribute]) => {
      checkName(name, 'attributes');
      if (!isAttribute(attribute)) {
        refusePlugin(`attributes.${name}: expected attr.float32(…) or the like, given ${shown(attribute)}`);
      }
      return [name, attribute];
    }),
  );
}

function typesOf(value: unknown, inputs: readonly string[]): Map<string, DType>[] {
  const rows = listOf(value, 'types', 1).map((row, i) => {
    const map = new Map<string, DType>();
    for (const [name, dtype] of entriesOf(row, `types[${i}]`)) {
      checkName(name, `types[${i}]`);
      if (!pluginTypes.includes(dtype as DType)) {
        const expected = `expected one of ${pluginTypes.join(', ')}`;
        const hint = dtype === 'uint8' ? ', because TensorRT has uint8 at inputs and outputs of the network alone' : '';
        refusePlugin(`types[${i}].${name}: ${expected}${hint}, given ${shown(dtype)}`);
      }
      map.set(name, dtype as DType);
    }
    for (const name of inputs) if (!map.has(name)) refusePlugin(`types[${i}]: input '${name}' has no dtype`);
    return map;
  });
  const first = [...rows[0]!.keys()].sort().join(', ');
  const seen = new Map<string, number>();
  for (const [i, row] of rows.entries()) {
    const these = [...row.keys()].sort().join(', ');
    if (these !== first) refusePlugin(`types[${i}]: expected dtypes of ${first}, as types[0] has, given ${these}`);
    const key = inputs.map((name) => row.get(name)).join(', ');
    const other = seen.get(key);
    if (other !== undefined) {
      refusePlugin(`types[${other}] and types[${i}] have the same inputs, ${key}: outputs follow from inputs`);
    }
    seen.set(key, i);
  }
  return rows;
}

function cudaOf(value: unknown): Definition['cuda'] {
  if (value instanceof URL) {
    if (value.protocol !== 'file:') refusePlugin(`cuda: expected a file: URL, given ${value.href.slice(0, 200)}`);
    return { file: fileURLToPath(new URL(value.href)) };
  }
  if (typeof value !== 'string' || value.trim() === '') {
    return refusePlugin(`cuda: expected CUDA source or new URL('./kernel.cu', import.meta.url), given ${shown(value)}`);
  }
  if (!value.includes('{') && /\.cuh?$/.test(value)) {
    refusePlugin(`cuda: a path must be a URL: new URL('${value}', import.meta.url)`);
  }
  return { source: value };
}

function aliasesOf(value: unknown, inputs: readonly string[], outputs: readonly string[]): Map<string, string> {
  const aliases = new Map<string, string>();
  for (const [output, input] of entriesOf(value, 'aliases')) {
    requireKnown(output, outputs, 'aliases');
    if (input === undefined) continue;
    if (typeof input !== 'string') refusePlugin(`aliases.${output}: expected an input's name, given ${shown(input)}`);
    requireKnown(input, inputs, `aliases.${output}`);
    if ([...aliases.values()].includes(input)) refusePlugin(`aliases: two outputs update input '${input}'`);
    aliases.set(output, input);
  }
  return aliases;
}

/** Checks a definition. @throws ERR_PLUGIN */
export function checkDefinition(value: unknown): Definition {
  if (!isRecord(value)) return refusePlugin(`expected a definition, given ${shown(value)}`);
  // Read once: a getter may return something else the next time.
  const given: Record<string, unknown> = Object.fromEntries(Object.keys(value).map((key) => [key, value[key]]));
  for (const key of Object.keys(given)) {
    if (keys.includes(key)) continue;
    if (/^formats?$/.test(key)) {
      refusePlugin(
        'formats: inputs and outputs are linear (row-major) here, as a kernel indexes them; TensorRT reformats where it needs to',
      );
    }
    refusePlugin(`unknown ${shown(key)}${suggestion(key, keys) || `; expected ${keys.join(', ')}`}`);
  }
  const own = (key: string) => (Object.hasOwn(given, key) ? given[key] : undefined);
  const name = text(own('name'), 'name');
  const version = text(own('version'), 'version');
  const tensors = names(own('inputs'), 'inputs', 1);
  const shapeInputs = names(own('shapeInputs') ?? [], 'shapeInputs', 0);
  const inputs = [...tensors, ...shapeInputs];
  const types = typesOf(own('types'), inputs);
  const outputs = [...types[0]!.keys()].filter((one) => !inputs.includes(one));
  const attributes = attributesOf(own('attributes'));
  const all = [...inputs, ...outputs, ...attributes.keys()];
  const twice = all.find((one, i) => all.indexOf(one) !== i);
  if (twice !== undefined)
    refusePlugin(`'${twice}' is the name of two things; inputs, outputs and attributes have one each`);
  if (outputs.length === 0) refusePlugin('types: no output has a dtype: add one to each row, e.g. y');
  const aliases = aliasesOf(own('aliases'), tensors, outputs);
  for (const row of types) {
    for (const one of shapeInputs) {
      if (!/^int(32|64)$/.test(row.get(one)!))
        refusePlugin(`types: shape input '${one}': expected int32 or int64, given ${row.get(one)}`);
    }
    for (const [output, input] of aliases) {
      if (row.get(output) !== row.get(input)) {
        refusePlugin(`aliases: '${output}' is ${row.get(output)} and '${input}' ${row.get(input)}; expected one dtype`);
      }
    }
  }
  const tactics = own('tactics') === undefined ? undefined : listOf(own('tactics'), 'tactics', 1);
  for (const [i, tactic] of (tactics ?? []).entries()) {
    if (typeof tactic !== 'object' || tactic === null)
      refusePlugin(`tactics[${i}]: expected an object, given ${shown(tactic)}`);
  }
  const options = listOf(own('options') ?? [], 'options').map((option) => {
    if (typeof option === 'string' && option !== '' && !option.includes('\0')) return option;
    return refusePlugin(`options: expected strings, given ${shown(option)}`);
  });
  return {
    name,
    version,
    inputs,
    tensors: tensors.length,
    outputs,
    ranks: ranksOf(own('ranks'), inputs),
    attributes,
    types,
    aliases,
    cuda: cudaOf(own('cuda')),
    options,
    tactics: tactics?.map((tactic) => Object.freeze({ ...(tactic as object) })),
    outputsRule: rule(own('outputs'), 'outputs'),
    workspaceRule: optional(own('workspace'), 'workspace'),
    launchRule: rule(own('launch'), 'launch'),
    reference: optional(own('reference'), 'reference'),
    decompose: optional(own('decompose'), 'decompose'),
    source: locate(captureCallSite()),
  };
}
