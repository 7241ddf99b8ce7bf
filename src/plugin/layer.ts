import { suggestion } from '../errors/nearest.js';
import type { Dim } from '../values/dim.js';
import type { DType } from '../values/dtype.js';
import { applyRules } from './apply.js';
import { type Attribute, type AttributeValue, attributeField, plainValue, ruleValue } from './attributes.js';
import type { AttributeField, FieldData } from './binding.js';
import type { Definition } from './definition.js';
import { refusePlugin, shown } from './fault.js';
import type { Recipe } from './recipe.js';
import { definitionOf } from './registry.js';
import type { Ruled, RuleInput } from './rules.js';

/** Parameters of a layer of a definition. */
export interface OwnParams {
  definition: { name: string; version: string };
  attributes: Readonly<Record<string, AttributeValue>>;
}

/** Parameters of a layer of an existing creator. */
export interface CreatorParams {
  creator: { name: string; version: string; namespace: string };
  fields: readonly FieldData[];
  /** How many of the inputs are shape inputs; they come last. */
  shapeInputs: number;
  outputs: readonly { dtype: DType; shape: readonly Dim[] }[];
}

/** Parameters of the layer kind `plugin`. */
export type PluginParams = OwnParams | CreatorParams;

export const isOwn = (params: PluginParams): params is OwnParams => 'definition' in params;

/**
 * Plain values of all attributes of a layer.
 * @throws ERR_PLUGIN for one that is missing, unknown or does not fit its type
 */
export function checkAttributes(
  { name: plugin, attributes }: Definition,
  given: unknown,
): Record<string, AttributeValue> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return refusePlugin(`plugin '${plugin}': expected attributes by name, given ${shown(given)}`);
  }
  const names = [...attributes.keys()];
  const record = given as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    if (attributes.has(key)) continue;
    const known = names.length > 0 ? `; it has ${names.join(', ')}` : '; it has none';
    refusePlugin(`plugin '${plugin}' has no attribute '${key.slice(0, 200)}'${suggestion(key, names) || known}`, {
      expected: names,
      actual: key,
    });
  }
  const value = (name: string, attribute: Attribute): AttributeValue => {
    const one = Object.hasOwn(record, name) ? record[name] : undefined;
    if (one !== undefined) {
      return plainValue(attribute, one, (why) => refusePlugin(`attribute '${name}': ${why}`, { actual: one }));
    }
    return attribute.fallback ?? refusePlugin(`plugin '${plugin}': attribute '${name}' is missing; it has no default`);
  };
  return Object.fromEntries([...attributes].map(([name, attribute]) => [name, value(name, attribute)]));
}

/** Attributes as references and decompositions get them. @throws ERR_PLUGIN */
export function attributeValues(
  definition: Definition,
  given: OwnParams['attributes'],
): Readonly<Record<string, unknown>> {
  const values = checkAttributes(definition, given);
  const entries = Array.from(definition.attributes, ([name, one]) => [name, ruleValue(one, values[name]!)] as const);
  return Object.freeze(Object.fromEntries(entries));
}

/** What the rules of a layer's definition say. @throws ERR_PLUGIN, ERR_RANK, ERR_DTYPE */
export function rulesOf({ definition: { name, version }, attributes }: OwnParams, inputs: readonly RuleInput[]): Ruled {
  const definition = definitionOf(name, version);
  return applyRules(definition, checkAttributes(definition, attributes), inputs);
}

/** The recipe of a recorded layer. @throws ERR_PLUGIN, ERR_RANK, ERR_DTYPE */
export const recipeOf = (params: OwnParams, inputs: readonly RuleInput[]): Recipe => rulesOf(params, inputs).recipe;

/** A layer's attributes as plugin fields, in the definition's order. @throws ERR_PLUGIN */
export function attributeFields({ definition: { name, version }, attributes }: OwnParams): AttributeField[] {
  const definition = definitionOf(name, version);
  const values = checkAttributes(definition, attributes);
  return [...definition.attributes].map(([key, attribute]) => attributeField(key, attribute, values[key]!));
}
