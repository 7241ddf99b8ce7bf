import { Network } from '../../dsl/network.js';
import { show } from '../../errors/wording.js';
import { refuseArgument } from './exit.js';
import { importModule, longestLoad, refuse, settled } from './module-file.js';

/** For `--set size=224`, which may be repeated. */
export function parseSet(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) refuseArgument('name=value', text);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** What `--set` gave, as a file's function gets it: a text that is JSON is what it says, any other is itself. */
export const settingsOf = (set: Readonly<Record<string, string>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(set).map(([name, text]) => [name, settingOf(text)]));

function settingOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * The network of a module: its default export, or what that returns if it is a function, which gets what `--set` gave.
 * @param limit milliseconds; see `importModule`
 * @throws ERR_MODEL_FILE, and what the module throws of ours
 */
export async function loadNetwork(
  path: string,
  set: Readonly<Record<string, string>> = {},
  limit: number = longestLoad,
): Promise<Network> {
  const exported = await importModule(path, limit);
  const made = defaultOf(exported);
  if (made === undefined)
    refuse(
      path,
      `it has no default export, expected a Network or a function that returns one${exportedNames(exported)}`,
    );
  const names = Object.keys(set).map((name) => `--set ${name}`);
  if (typeof made !== 'function' && names.length > 0)
    refuse(path, `its default export is no function of options, which ${names.join(', ')} would be for`);
  const call = () => (typeof made === 'function' ? made(settingsOf(set)) : made);
  const value = await settled(path, 'its default export', limit, async () => call());
  if (value instanceof Network) return value;
  const what = typeof made === 'function' ? 'what its function returns' : 'its default export';
  if (typeof value === 'object' && value?.constructor?.name === 'Network')
    refuse(path, `${what} is a Network of another copy of this package; import it as 'node-tensorrt'`);
  return refuse(path, `expected a Network as ${what}, given ${show(value)}`, { actual: value });
}

/** Of CommonJS that was compiled from an ES module, too. */
function defaultOf(exported: Record<string, unknown>): unknown {
  const { default: first } = exported;
  const isCompiled = typeof first === 'object' && first !== null && '__esModule' in first;
  return isCompiled ? (first as { default?: unknown }).default : first;
}

function exportedNames(exported: Record<string, unknown>): string {
  const names = Object.keys(exported).slice(0, 8);
  return names.length > 0 ? `; it exports ${names.join(', ')}` : '';
}
