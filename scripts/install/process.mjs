import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** A failure with a message for the user; printed without a stack. */
export class SetupError extends Error {
  name = 'SetupError';
}

/** The folders of PATH, without those that depend on the working directory: nothing there is ever run. */
const searched = (env) => (env.PATH ?? '').split(delimiter).filter((dir) => isAbsolute(dir));

/** Path of an executable on PATH, or null. */
export function which(command, env = process.env) {
  for (const dir of searched(env)) {
    const path = join(dir, command);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {}
  }
  return null;
}

/**
 * Runs a command and captures its output.
 * @returns {Promise<{ code: number, output: string }>} code 127 if it could not be started
 */
export function capture(command, args, { cwd, env = process.env } = {}) {
  return new Promise((resolve) => {
    const path = isAbsolute(command) ? command : which(command, env);
    if (path === null) return resolve({ code: 127, output: `${command} was not found on PATH` });
    const own = { ...env, PATH: searched(env).join(delimiter) };
    const child = spawn(path, args, { cwd, env: own, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code, signal) => {
      const output = Buffer.concat(chunks).toString();
      resolve({ code: code ?? 1, output: signal ? `${output}\nended by ${signal}` : output });
    });
  });
}

/** Like capture, but throws a SetupError with the output if the command fails. */
export async function mustRun(what, command, args, options) {
  const { code, output } = await capture(command, args, options);
  if (code !== 0) {
    throw new SetupError(`${what} failed (exit code ${code}): ${[command, ...args].join(' ')}\n${output.trimEnd()}`);
  }
  return output;
}

/** Reports a step, and how long it took, on stderr. */
export function reporter(quiet) {
  return async function step(what, work) {
    if (!quiet) process.stderr.write(`node-tensorrt: ${what} …\n`);
    const start = performance.now();
    const result = await work();
    if (!quiet) process.stderr.write(`node-tensorrt: ${what}: ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
    return result;
  };
}
