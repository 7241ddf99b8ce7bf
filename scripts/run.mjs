#!/usr/bin/env node
// run.mjs [--rtx] [--nvrtc] COMMAND ARGS…: sets the checkout up (with TensorRT-RTX, with NVRTC), then runs a command from node_modules/.bin
// as if it had been called directly.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from './install/process.mjs';
import { orExplain, setup } from './setup.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..');
const given = process.argv.slice(2);
const flags = [];
while (given[0]?.startsWith('--')) flags.push(given.shift());
const [command, ...args] = given;

await orExplain(async () => {
  if (!command) throw new SetupError('expected a command: node scripts/run.mjs COMMAND ARGS…');
  const unknown = flags.find((flag) => flag !== '--rtx' && flag !== '--nvrtc');
  if (unknown) throw new SetupError(`expected --rtx, --nvrtc and a command, given ${unknown}`);
  const [rtx, nvrtc] = ['--rtx', '--nvrtc'].map((flag) => flags.includes(flag));
  await setup({ root, rtx, nvrtc, quiet: process.env.npm_config_loglevel === 'silent' || args.includes('--json') });
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
