#!/usr/bin/env node
// run.mjs [--rtx] COMMAND ARGS…: sets the checkout up (with --rtx for TensorRT-RTX), then runs a command from node_modules/.bin
// as if it had been called directly.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from './install/process.mjs';
import { orExplain, setup } from './setup.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..');
const rtx = process.argv[2] === '--rtx';
const [command, ...args] = process.argv.slice(rtx ? 3 : 2);

await orExplain(async () => {
  if (!command) throw new SetupError('expected a command: node scripts/run.mjs COMMAND ARGS…');
  await setup({ root, rtx, quiet: process.env.npm_config_loglevel === 'silent' || args.includes('--json') });
});

const child = spawn(join(root, 'node_modules', '.bin', command), args, { stdio: 'inherit' });
// A terminal also sends SIGINT to the child.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`node-tensorrt: could not run ${command}: ${error.message}\n`);
  process.exit(127);
});
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  setTimeout(() => process.exit(128 + constants.signals[signal]), 1000);
});
