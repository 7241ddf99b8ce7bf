#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import pc from 'picocolors';
import { TensorRTError } from '../errors/error.js';
import { doctorCommand } from './commands/doctor.js';
import { installCommand } from './commands/install.js';

const { version, description } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

const program = new Command('node-tensorrt').description(description).version(version).showHelpAfterError();
const add = (command: Command) => program.addCommand(command.copyInheritedSettings(program));
add(doctorCommand());
add(installCommand());

// The other commands have imports of their own, so they load only on demand.
if (!program.commands.some((command) => command.name() === process.argv[2])) {
  add((await import('./commands/weights.js')).weightsCommand());
  add((await import('./commands/layers.js')).layersCommand());
  add((await import('./commands/plugins.js')).pluginsCommand());
}

try {
  await program.parseAsync();
} catch (error) {
  const text = error instanceof TensorRTError ? error.message : (error as Error).stack;
  process.stderr.write(`${pc.red('error:')} ${text}\n`);
  process.exitCode = 1;
}
