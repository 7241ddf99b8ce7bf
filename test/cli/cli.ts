import { join } from 'node:path';
import { nodeAsync, root } from '../setup/checkout.js';

/** tsx, for models on Nodes that do not run TypeScript, is found from the checkout, whatever the working directory. */
export const command = ['--import', join(root, 'node_modules/tsx/dist/loader.mjs'), join(root, 'dist/cli/main.js')];

/** The command line as a process of its own. */
export const cli = (folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  nodeAsync(folder, [...command, ...args], env);
