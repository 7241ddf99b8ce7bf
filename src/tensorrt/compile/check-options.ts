import { z } from 'zod';
import { readArguments } from '../../errors/boundary.js';
import { TensorRTError } from '../../errors/error.js';
import { issueFacts, ownOnly, type SchemaIssue } from '../../errors/schema-issue.js';
import { isGone } from '../../values/dtype.js';
import { optionTable, refusedOptions, refusedValues } from './option-table.js';
import type { BuildOptions } from './options.js';

const options = z.strictObject(
  Object.fromEntries(Object.entries(optionTable).map(([name, { schema }]) => [name, schema.optional()])),
);

/** @internal */
export const optionNames: readonly string[] = Object.keys(optionTable);

const method = 'build options';

function refuse(option: string, said: string, code = 'ERR_BUILD_OPTION'): never {
  throw new TensorRTError(code, said, { method, option });
}

/** `profiles[0].batch`; undefined for the options themselves. */
function placeIn([first, ...path]: readonly PropertyKey[]): string | undefined {
  if (first === undefined) return undefined;
  return path.reduce<string>(
    (text, key) => text + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`),
    String(first),
  );
}

/** Options and values that TensorRT has and this package does not, with the reason. */
function checkOffered(given: BuildOptions): void {
  const entries = Object.entries(given);
  for (const [name, value] of entries) {
    if (Object.hasOwn(refusedOptions, name)) refuse(name, `not offered: ${refusedOptions[name]}`, 'ERR_UNSUPPORTED');
    const parts = typeof value === 'object' && value !== null ? Object.keys(value) : [String(value)];
    for (const part of parts) {
      const why = refusedValues[`${name}.${part}`];
      if (why) refuse(name, `'${part}' is not offered: ${why}`, 'ERR_UNSUPPORTED');
    }
  }
}

/** Options that need or exclude each other. */
function checkTogether(given: BuildOptions): void {
  const { pluginsToSerialize, versionCompatible, workspace, memoryPools, timingCache, disableTimingCache } = given;
  // Only a version-compatible plan holds libraries.
  if (pluginsToSerialize?.length && !versionCompatible)
    refuse('pluginsToSerialize', 'expected versionCompatible: true beside it');
  const pool = memoryPools?.workspace;
  if (workspace !== undefined && pool !== undefined && workspace !== pool)
    refuse('memoryPools.workspace', `expected ${workspace}, as workspace says, given ${pool}`);
  if (timingCache !== undefined && disableTimingCache)
    refuse('timingCache', 'expected none beside disableTimingCache: true');
  // Only another process can be ended.
  for (const limit of ['timeout', 'memoryLimit'] as const)
    if (given[limit] !== undefined && !given.isolate) refuse(limit, 'expected isolate: true beside it');
  if (timingCache instanceof Uint8Array && isGone(timingCache))
    refuse('timingCache', 'the array is detached: its buffer was transferred, or shrank');
}

/** Checks build options. @throws ERR_BUILD_OPTION; ERR_UNSUPPORTED for what TensorRT has and this package does not */
export function checkOptions(given: BuildOptions): BuildOptions {
  const parsed = readArguments(
    method,
    [given],
    () => {
      if (typeof given === 'object' && given !== null) checkOffered(given);
      return options.safeParse(ownOnly(given));
    },
    'ERR_BUILD_OPTION',
  );
  if (parsed.success) {
    readArguments(method, [given], () => checkTogether(given), 'ERR_BUILD_OPTION');
    return given;
  }
  const issue = parsed.error.issues[0] as SchemaIssue;
  const { said, ...facts } = issueFacts(issue, given);
  const call = { method, cause: parsed.error };
  if (issue.code !== 'unrecognized_keys') {
    throw new TensorRTError('ERR_BUILD_OPTION', said, { ...facts, ...call, option: placeIn(issue.path) });
  }
  const place = placeIn(issue.path);
  const unknown = issue.keys!;
  const expected = place === undefined ? optionNames : keysOf(place);
  throw new TensorRTError(
    'ERR_BUILD_OPTION',
    `no option is called '${unknown.join("', '")}'; there are ${expected.join(', ')}`,
    { ...call, expected, actual: unknown, ...(place !== undefined && { option: place }) },
  );
}

/** The names that an option of several entries takes. */
function keysOf(option: string): readonly string[] {
  const { schema } = optionTable[option as keyof BuildOptions];
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}
