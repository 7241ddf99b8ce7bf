import { z } from 'zod';
import { defineLayer, type InferContext } from '../../dsl/define-layer.js';
import { Network } from '../../dsl/network.js';
import { Tensor, type TensorSource } from '../../dsl/tensor.js';
import { TensorRTError } from '../../errors/error.js';
import { suggestion } from '../../errors/nearest.js';
import { refuse } from '../../errors/refusal.js';
import {
  type AnyPlugin,
  type AttributeArguments,
  definitionOfPlugin,
  type InputsOf,
  type OutputNames,
} from '../../plugin/define.js';
import { shown } from '../../plugin/fault.js';
import { isOfRule } from '../../plugin/guard.js';
import { checkAttributes, isOwn, type OwnParams, type PluginParams, rulesOf } from '../../plugin/layer.js';
import { findDefinition, missingDefinition } from '../../plugin/registry.js';
import { type CreatorUse, creatorParams } from '../../plugin/use-creator.js';
import { parseDim } from '../../values/dim-parse.js';
import { dtypes } from '../../values/dtype.js';
import { isEntries } from '../shared/entries.js';
import type { Named } from '../shared/parameters.js';

const scalar = z.union([z.number(), z.string(), z.boolean()]);
const own = z.strictObject({
  definition: z.strictObject({ name: z.string(), version: z.string() }),
  attributes: z.record(z.string(), z.union([scalar, z.array(z.union([z.number(), z.string()]))])),
});

const dim = z.union([
  z.int().min(0),
  z.string().refine((text) => parseDim(text) !== undefined, { params: { expected: 'a dim' } }),
]);
const creator = z.strictObject({
  creator: z.strictObject({ name: z.string().min(1), version: z.string(), namespace: z.string() }),
  fields: z.array(
    z.strictObject({
      name: z.string(),
      type: z.string(),
      data: z.union([z.string(), z.array(z.number()), z.array(z.bigint())]),
    }),
  ),
  shapeInputs: z.int().min(0),
  outputs: z.array(z.strictObject({ dtype: z.enum(dtypes), shape: z.array(dim).max(8) })).min(1),
});

/** The two forms of parameters: of a definition, and of an existing creator. */
export const pluginForms = { own, creator };

/** The parameters of whichever form they have. */
const params = z.any().transform((given, context) => {
  const isCreator = typeof given === 'object' && given !== null && 'creator' in given;
  const parsed = (isCreator ? creator : own).safeParse(given, { jitless: true });
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: given } as never);
  return z.NEVER;
}) as unknown as z.ZodType<PluginParams & Record<string, unknown>>;

/** A layer of the library's own definitions, or of a creator that TensorRT has. */
export const plugin = defineLayer({
  kind: 'plugin',
  takesNarrow: true,
  params,
  isFoldable: () => false,
  hasEffects: (given) =>
    isOwn(given) && (findDefinition(given.definition.name, given.definition.version)?.aliases.size ?? 0) > 0,
  infer(context) {
    const { params: given, inputs, fail } = context;
    for (const i of inputs.keys()) context.input(i);
    if (isOwn(given)) return inferOwn(given, context);
    if (given.shapeInputs > inputs.length) {
      fail('ERR_INPUT', `expected ${given.shapeInputs} shape inputs, given ${inputs.length} inputs`);
    }
    return given.outputs.map(({ dtype, shape }) => ({ dtype, shape }));
  },
  cpu(_, { params: given }) {
    // The CPU backend cuts the outermost graph around its plugins.
    const why = 'the CPU backend runs loops and conditionals whole, and cannot call a reference inside them';
    const help = isOwn(given) ? 'give the definition a decompose, or move' : 'move';
    throw new TensorRTError('ERR_CPU_BACKEND', `${why}: ${help} the plugin out`);
  },
});

type Context = InferContext<PluginParams & Record<string, unknown>>;

function inferOwn(given: OwnParams, { inputs, input, fail }: Context) {
  const { name, version } = given.definition;
  const definition = findDefinition(name, version);
  if (!definition) return fail('ERR_PLUGIN', missingDefinition(name, version));
  if (inputs.length !== definition.inputs.length) {
    fail('ERR_INPUT', `plugin '${name}' takes ${definition.inputs.join(', ')}, given ${inputs.length} tensors`, {
      expected: definition.inputs,
      actual: inputs.length,
    });
  }
  try {
    return rulesOf(
      given,
      definition.inputs.map((_, i) => input(i)),
    ).outputs;
  } catch (error) {
    throw error instanceof TensorRTError ? located(error, fail) : error;
  }
}

/** The error with the layer's name, and with the line of its call unless it has that of a rule. */
function located(error: TensorRTError, fail: Context['fail']): TensorRTError {
  try {
    return fail(error.code, '');
  } catch (facts) {
    const { method, layer, kind, source } = facts as TensorRTError;
    return error.with({ method, layer: layer!, kind: kind!, ...(!isOfRule(error) && { source }) });
  }
}

/** Tensors in the definition's order. */
function ordered(plugin: string, inputs: readonly string[], given: unknown): Tensor[] {
  if (!isEntries(given)) {
    return refuse('plugin', 'ERR_INPUT', `expected tensors by name, { ${inputs.join(', ')} }, given ${shown(given)}`);
  }
  for (const key of Object.keys(given)) {
    if (inputs.includes(key)) continue;
    const known = suggestion(key, inputs) || `; it has ${inputs.join(', ')}`;
    refuse('plugin', 'ERR_INPUT', `plugin '${plugin}' has no input '${key.slice(0, 200)}'${known}`, {
      expected: inputs,
      actual: key,
    });
  }
  return inputs.map((name) => {
    const tensor = Object.hasOwn(given, name) ? given[name] : undefined;
    if (tensor instanceof Tensor) return tensor;
    return refuse(
      'plugin',
      'ERR_INPUT',
      `input '${name}' of plugin '${plugin}': expected a tensor, given ${shown(tensor)}`,
    );
  });
}

/** The arguments after the plugin. */
function atMost(count: number, rest: readonly unknown[]): readonly unknown[] {
  if (rest.length <= count) return rest;
  return refuse('plugin', 'ERR_PARAMETER', `expected at most ${count + 1} arguments, given ${rest.length + 1}`);
}

/** The name among the options that every layer has. */
function nameOf(options: unknown): string | undefined {
  if (options === undefined) return undefined;
  if (!isEntries(options)) return refuse('plugin', 'ERR_PARAMETER', `expected { name }, given ${shown(options)}`);
  const unknown = Object.keys(options).find((key) => key !== 'name');
  if (unknown !== undefined) {
    refuse('plugin', 'ERR_PARAMETER', `unknown option ${shown(unknown)}; expected name`, {
      expected: ['name'],
      actual: unknown,
    });
  }
  return options.name as string | undefined;
}

function recordOwn(
  net: Network,
  given: AnyPlugin,
  inputs: readonly Tensor[],
  attributes: unknown = {},
  options: unknown,
) {
  const definition = definitionOfPlugin(given);
  const { name, version } = definition;
  const outputs = net.record(plugin, {
    method: 'plugin',
    name: nameOf(options),
    hint: name,
    inputs,
    params: { definition: { name, version }, attributes: checkAttributes(definition, attributes) },
  });
  return Object.fromEntries(definition.outputs.map((output, i) => [output, outputs[i]!]));
}

function recordExisting(source: TensorSource, name: string, rest: readonly unknown[]): Tensor[] {
  const [options = {}] = atMost(1, rest);
  const net = source instanceof Network ? source : source.tensor().network;
  const first = source instanceof Tensor ? [source] : [];
  const { inputs, params: given, name: layer } = creatorParams(name, options, first);
  return net.record(plugin, { method: 'plugin', name: layer, hint: name, inputs, params: { ...given } });
}

/** One tensor for each output of a plugin. */
export type PluginOutputTensors<P> = { readonly [K in OutputNames<P>]: Tensor };
/** The output, where a plugin has one; else one tensor for each. `Each` is not to be given. */
export type PluginResult<P, Each extends OutputNames<P> = OutputNames<P>> = Each extends unknown
  ? [OutputNames<P>] extends [Each]
    ? Tensor
    : PluginOutputTensors<P>
  : never;

/** How `plugin` is called. */
export interface PluginMethod {
  /**
   * A layer of your own, made by `definePlugin`: `net.plugin(rmsNorm, { x, residual }, { eps: 1e-5 })`. TensorRT kind: plugin.
   * @param tensors by the names of the definition's inputs
   * @param rest attributes, those without a default and those that differ from it; then options
   * @returns the outputs by name
   * @throws ERR_PLUGIN for a rule or attribute at fault; ERR_DTYPE, ERR_RANK, ERR_INPUT for tensors that do not fit
   */
  <P extends AnyPlugin>(
    this: Network,
    plugin: P,
    tensors: { readonly [K in InputsOf<P>]: Tensor },
    ...rest: AttributeArguments<P, Named>
  ): PluginOutputTensors<P>;
  /** The same where the plugin has one input. Returns the output where there is one, else the outputs by name. */
  <P extends AnyPlugin>(this: Tensor, plugin: P, ...rest: AttributeArguments<P, Named>): PluginResult<P>;
  /**
   * A layer of a creator that TensorRT knows by name. Called on a tensor, that is the first input, and `inputs` are the others.
   * Returns the outputs in order.
   * @throws ERR_PLUGIN, ERR_PLUGIN_MISSING, ERR_PLUGIN_FIELD
   */
  (this: TensorSource, plugin: string, options?: CreatorUse & Named): Tensor[];
}

const methods = {
  /**
   * A layer of your own, made by `definePlugin`, with tensors by the names of its inputs: `net.plugin(rmsNorm, { x, residual },
   * { eps: 1e-5 })` returns its outputs by name. `x.plugin(swish)` is for one with one input, and returns the output where there
   * is one. `x.plugin('ROIAlign_TRT', { version: '2', inputs: [boxes], fields: { … } })` uses a creator that TensorRT knows by
   * name, with the tensor as first input, and returns a list. TensorRT kind: plugin.
   *
   * @throws ERR_PLUGIN for a rule, attribute or option at fault; ERR_DTYPE, ERR_RANK, ERR_INPUT for tensors that do not fit
   */
  plugin(this: TensorSource, plugin: AnyPlugin | string, ...rest: unknown[]): unknown {
    if (typeof plugin === 'string') return recordExisting(this, plugin, rest);
    const { name, inputs, outputs } = definitionOfPlugin(plugin);
    if (this instanceof Network) {
      const [tensors, attributes, options] = atMost(3, rest);
      return recordOwn(this, plugin, ordered(name, inputs, tensors), attributes, options);
    }
    const x = this.tensor();
    if (inputs.length !== 1) {
      const usage = `net.plugin(…, { ${inputs.join(', ')} })`;
      refuse('plugin', 'ERR_INPUT', `plugin '${name}' has ${inputs.length} inputs: call ${usage}`);
    }
    const [attributes, options] = atMost(2, rest);
    const made = recordOwn(x.network, plugin, [x], attributes, options);
    return outputs.length === 1 ? made[outputs[0]!] : made;
  },
} as unknown as {
  /** Records a plugin layer; see `PluginMethod`. */
  plugin: PluginMethod;
};

export { methods as pluginMethods };
export type PluginMethods = typeof methods;
