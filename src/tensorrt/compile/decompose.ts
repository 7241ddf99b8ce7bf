import { decomposed, hasPlugins } from '../../passes/decompose-plugins.js';
import { sourceOf } from '../../passes/layer.js';
import type { Flavor } from '../binding.js';
import { takePlugins } from './plugins.js';
import type { Prepared } from './prepare.js';
import { resolveProfiles } from './profiles.js';
import { take } from './program.js';

/**
 * The network with layers in place of its plugins, where that is asked for or the TensorRT has no plugin layers; else what was
 * given. Whoever calls it releases another network.
 * @throws ERR_UNSUPPORTED if a plugin has no decomposition, ERR_PLUGIN if it has a wrong one
 */
export function withoutPlugins(prepared: Prepared, flavor: Flavor): Prepared {
  const { network, options, lowerOnly } = prepared;
  const lacks = flavor === 'rtx1';
  if (!(lacks || options.decomposePlugins) || !hasPlugins(network)) return prepared;
  const why = lacks ? 'TensorRT-RTX has no plugin layers' : undefined;
  const taken = take(decomposed(sourceOf(network), network.name, { why }), options.isolate);
  // Layers of decompositions may need dims to be equal.
  const profiles = lowerOnly && !options.profiles ? [] : resolveProfiles(taken, options.profiles);
  return { ...prepared, network: taken, profiles, plugins: takePlugins(taken) };
}
