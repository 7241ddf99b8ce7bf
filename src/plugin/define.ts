import { publicMethod } from '../errors/boundary.js';
import type { Attributes } from './attributes.js';
import { checkDefinition, type Definition } from './definition.js';
import { refusePlugin, shown } from './fault.js';
import { register } from './registry.js';
import type { GivenAttributes, OutputsOf, PluginDefinition, PluginTypes } from './types.js';

/** A plugin of your own, made by `definePlugin`. I: names of inputs, S: of shape inputs, A: attributes, O: names of outputs. */
export class Plugin<
  I extends string = string,
  S extends string = string,
  A extends Attributes = Attributes,
  O extends string = string,
> {
  /** With the version, what engines know the plugin by. */
  readonly name: string;
  /** Version of the plugin. */
  readonly version: string;
  /** Types only. */
  declare readonly '~'?: { inputs: I; shapeInputs: S; attributes: A; outputs: O } | undefined;
  readonly #definition: Definition;

  /** @internal */
  constructor(definition: Definition) {
    this.name = definition.name;
    this.version = definition.version;
    this.#definition = definition;
    Object.freeze(this);
  }

  /** @internal The checked definition; undefined for what is no plugin. */
  static definition(value: unknown): Definition | undefined {
    return typeof value === 'object' && value !== null && #definition in value ? value.#definition : undefined;
  }

  /** Name and version. */
  toString(): string {
    return `Plugin(${this.name} ${this.version})`;
  }
}

/** Any plugin of `definePlugin`. */
export type AnyPlugin = Plugin;

/** The checked definition of a plugin. @throws ERR_PLUGIN */
export const definitionOfPlugin = (plugin: unknown): Definition =>
  Plugin.definition(plugin) ?? refusePlugin(`expected a plugin of definePlugin(), given ${shown(plugin)}`);

const define = publicMethod(
  'definePlugin',
  (definition: unknown): Plugin => {
    const checked = checkDefinition(definition);
    register(checked);
    return new Plugin(checked);
  },
  undefined,
  2,
);

/**
 * Defines a layer that TensorRT does not have: its shapes, its CUDA kernel and how that is launched, and, optionally, the
 * same in JavaScript and as layers. `net.plugin(…)` and `x.plugin(…)` record it.
 *
 * The rules (`outputs`, `workspace`, `launch`) run while a layer is recorded and return data: sizes that only the run knows are
 * `Size`s there, for which the helpers stand in for JavaScript's operators. They must return the same every time.
 * @throws ERR_PLUGIN where the definition is wrong, or another one has its name and version
 */
export function definePlugin<
  const I extends string,
  const R extends PluginTypes,
  const S extends string = never,
  A extends Attributes = Record<never, never>,
  const T extends object = Record<never, never>,
>(definition: PluginDefinition<I, S, A, R, T>): Plugin<I, S, A, OutputsOf<R, I | S>> {
  return define(definition) as unknown as Plugin<I, S, A, OutputsOf<R, I | S>>;
}

/** What a plugin's type is made of. */
export type PluginParts<P> = P extends Plugin<infer I, infer S, infer A, infer O> ? { I: I; S: S; A: A; O: O } : never;

/** Names of a plugin's inputs. */
export type InputsOf<P> = PluginParts<P>['I'] | PluginParts<P>['S'];
/** Names of a plugin's outputs. */
export type OutputNames<P> = PluginParts<P>['O'];
/** Attributes of a plugin's layer. */
export type AttributesOf<P> = GivenAttributes<PluginParts<P>['A']>;
/** The attributes among a call's arguments: they may be left out where none is required. */
export type AttributeArguments<P, Options> =
  Record<never, never> extends AttributesOf<P>
    ? [attributes?: AttributesOf<P> | undefined, options?: Options | undefined]
    : [attributes: AttributesOf<P>, options?: Options | undefined];
