import { attributeField } from '../plugin/attributes.js';
import type { NativePlugin } from '../plugin/binding.js';
import { type CompileOptions, compilePlugin } from '../plugin/compile.js';
import { encodeRecipe } from '../plugin/encode.js';
import { chooseNvrtc, type LoadedNvrtc } from '../plugin/nvrtc.js';
import { messageOf } from './network.js';
import type { Subject } from './subject.js';

/** An NVRTC, or why there is none. */
type FoundNvrtc = { nvrtc: LoadedNvrtc } | { why: string };

/** The NVRTC here that compiles for a compute capability, times 10; without a capability, any. */
export async function nvrtcFor(capability?: number): Promise<FoundNvrtc> {
  try {
    return { nvrtc: await chooseNvrtc(capability === undefined ? [] : [capability]) };
  } catch (error) {
    return { why: messageOf(error).split('\n', 1)[0]! };
  }
}

/**
 * A subject's kernels, and what native code needs to launch them.
 * @param capability compute capability, times 10
 * @throws ERR_KERNEL if they do not compile, or are launched with other arguments than they take
 */
export async function compileSubject(
  { definition, recipe, attributes }: Subject,
  capability: number,
  options: Pick<CompileOptions, 'lineinfo' | 'nvrtc'>,
): Promise<NativePlugin> {
  const { name, version } = definition;
  const { cubins, lowered } = await compilePlugin(definition, recipe, [capability], options);
  return {
    name,
    version,
    // Nothing here is built into an engine, so no timings are kept.
    recipe: encodeRecipe(recipe, { name, version, packageVersion: '', lowered, timing: '' }),
    cubins,
    attributes: [...definition.attributes].map(([key, attribute]) => attributeField(key, attribute, attributes[key]!)),
  };
}
