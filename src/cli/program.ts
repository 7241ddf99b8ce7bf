import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { endAsDocumented } from './shared/exit.js';

/** Each loads on demand: they have imports of their own. */
const commands: Record<string, () => Promise<Command>> = {
  build: async () => (await import('./commands/build.js')).buildCommand(),
  run: async () => (await import('./commands/run.js')).runCommand(),
  bench: async () => (await import('./commands/bench.js')).benchCommand(),
  inspect: async () => (await import('./commands/inspect.js')).inspectCommand(),
  compare: async () => (await import('./commands/compare.js')).compareCommand(),
  reduce: async () => (await import('./commands/reduce.js')).reduceCommand(),
  summary: async () => (await import('./commands/summary.js')).summaryCommand(),
  triton: async () => (await import('./commands/triton.js')).tritonCommand(),
  engine: async () => (await import('./commands/engine.js')).engineCommand(),
  cache: async () => (await import('./commands/cache.js')).cacheCommand(),
  weights: async () => (await import('./commands/weights.js')).weightsCommand(),
  layers: async () => (await import('./commands/layers.js')).layersCommand(),
  plugins: async () => (await import('./commands/plugins.js')).pluginsCommand(),
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand(),
  install: async () => (await import('./commands/install.js')).installCommand(),
  init: async () => (await import('./commands/init.js')).initCommand(),
};

/** The command line with one command, or with all of them. */
export async function programWith(name: string | undefined): Promise<Command> {
  const { version, description } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const program = new Command('node-tensorrt').description(description).version(version);
  const named = Object.hasOwn(commands, name ?? '') ? commands[name!] : undefined;
  for (const load of named ? [named] : Object.values(commands)) program.addCommand(await load());
  return endAsDocumented(program);
}
