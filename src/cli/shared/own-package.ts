import * as modules from 'node:module';

type Resolve = (specifier: string, context: unknown, next: (...args: unknown[]) => unknown) => unknown;

/** Node's `module.registerHooks`, from 22.15 on. */
interface SyncHooks {
  registerHooks?(hooks: { resolve: Resolve }): void;
}

/** The package, compiled or under tsx. */
const own = new URL(import.meta.url.endsWith('.ts') ? '../../index.ts' : '../../index.js', import.meta.url).href;

/**
 * Hooks as a module of its own, because older releases run them in another thread. A TypeScript file that imports or exports is an ES module, as Node itself
 * has it; tsx takes one for CommonJS where no package.json says otherwise, which would get another copy of this package.
 */
const hooks = `data:text/javascript,${encodeURIComponent(`
import { readFileSync } from 'node:fs';
let own;
export const initialize = (url) => { own = url; };
const isModule = (url) => /^(import|export)\\b(?!\\s*=)/m.test(readFileSync(new URL(url), 'utf8'));
const adapted = (found) =>
  found.format === 'commonjs' && /^file:[^?]*\\.ts(\\?|$)/.test(found.url) && isModule(found.url) ? { ...found, format: 'module' } : found;
export const resolve = (specifier, context, next) => {
  if (specifier === 'node-tensorrt') return { url: own, shortCircuit: true };
  const found = next(specifier, context);
  return found instanceof Promise ? found.then(adapted) : adapted(found);
};
`)}`;

let done: Promise<void> | undefined;

/**
 * From now on `node-tensorrt` is this very package, wherever a module that imports it lies: a network of another copy would be of another
 * class.
 */
export function importOwnPackage(): Promise<void> {
  done ??= registerOwnPackage();
  return done;
}

/** Again, after others registered hooks of theirs. */
export async function registerOwnPackage(): Promise<void> {
  const { registerHooks } = modules as SyncHooks;
  if (!registerHooks) return void modules.register(hooks, { data: own });
  const { initialize, resolve } = (await import(hooks)) as { initialize(url: string): void; resolve: Resolve };
  initialize(own);
  registerHooks({ resolve });
}
