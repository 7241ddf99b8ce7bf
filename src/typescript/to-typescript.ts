import type { Network } from '../dsl/network.js';
import { show } from '../errors/error.js';
import { checkOptions } from '../errors/options.js';
import { refuse } from '../errors/refusal.js';
import { requireNetwork } from '../passes/refuse.js';
import { Module, type TypeScriptCode, type TypeScriptOptions } from './module.js';

const method = 'toTypeScript';

function checkGiven({ path, weightsFile, inline, plugins = {} }: TypeScriptOptions): void {
  for (const [option, value] of Object.entries({ path, weightsFile })) {
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      refuse(method, 'ERR_PARAMETER', `expected a path, given ${show(value)}`, { option });
  }
  if (inline !== undefined && !(typeof inline === 'number' && inline >= 0))
    refuse(method, 'ERR_PARAMETER', `expected a number from 0, given ${show(inline)}`, { option: 'inline' });
  if (typeof plugins !== 'object' || plugins === null || Object.values(plugins).some((one) => typeof one !== 'string'))
    refuse(method, 'ERR_PARAMETER', `expected modules by name, given ${show(plugins)}`, { option: 'plugins' });
}

/**
 * Writes a network as TypeScript over this package's methods. The code records the same network: the same layers, names, weights and
 * order, so `toJSON()` of both is equal, places in the code aside. Layers whose names begin alike become functions.
 * @throws ERR_INPUT, ERR_PARAMETER; ERR_TYPESCRIPT for a layer that the code cannot record again, as happens to parts that `extract` cut off
 *   at a tensor of known elements; ERR_PLUGIN for a plugin that is not defined in this process; ERR_DISPOSED, ERR_WEIGHTS_CHANGED
 */
export function toTypeScript(net: Network, options: TypeScriptOptions = {}): TypeScriptCode {
  requireNetwork(net, method);
  checkOptions(options, ['path', 'weightsFile', 'inline', 'plugins'], method);
  checkGiven(options);
  return new Module(net, options).write();
}
