import { copyFileSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture, mustRun, SetupError, which } from '../install/process.mjs';
import { cachedTensorRT } from '../install/tensorrt.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const kept = /^(SSL_|NODE_EXTRA_CA_CERTS$|GIT_SSL|https?_proxy$|no_proxy$|LANG$)/i;

/**
 * A machine of somebody new, as far as folders and variables make one: an empty project and an empty home, and a PATH with
 * Node alone, without a compiler, CMake and Python.
 */
export function newUser(name) {
  const dir = mkdtempSync(join(tmpdir(), `node-tensorrt-${name}-`));
  const [home, bin, project] = ['home', 'bin', 'project'].map((one) => join(dir, one));
  for (const folder of [home, bin, project]) mkdirSync(folder);
  symlinkSync(process.execPath, join(bin, 'node'));
  symlinkSync('/bin/sh', join(bin, 'sh'));
  const shared = Object.fromEntries(Object.entries(process.env).filter(([variable]) => kept.test(variable)));
  const env = { ...shared, HOME: home, PATH: bin, CI: '1', NO_COLOR: '1' };
  writeFileSync(join(project, 'package.json'), '{ "name": "new-project", "private": true, "type": "module" }\n');
  copyFileSync(join(here, 'smoke.mjs'), join(project, 'smoke.mjs'));
  return { dir, project, bin, env };
}

/** Runs a command; returns its output and how long it took. */
export async function timed(what, command, args, options) {
  const start = performance.now();
  const { code, output } = await capture(command, args, options);
  const seconds = (performance.now() - start) / 1000;
  if (code !== 0)
    throw new SetupError(`${what} failed (exit code ${code}): ${[command, ...args].join(' ')}\n${output}`);
  return { output, seconds };
}

/** npm of this Node, as a script: it needs no PATH. */
export function npmScript() {
  const npm = which('npm');
  if (npm === null) throw new SetupError('npm was not found on PATH');
  return join(dirname(npm), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
}

/** Packs a folder as `npm pack` does, hooks included; returns the path of the tarball. */
export async function pack(folder, out) {
  const args = [npmScript(), 'pack', '--silent', '--pack-destination', out];
  const output = await mustRun('npm pack', process.execPath, args, { cwd: folder });
  return join(out, output.trim().split('\n').at(-1));
}

/** Records and checks a network, where the message has to say how to get a library; then builds with the cache's TensorRT-RTX. */
export async function smoke({ project, env }, run = [process.execPath]) {
  const [command, ...first] = run;
  const check = await timed('the first check', command, [...first, 'smoke.mjs', 'check'], { cwd: project, env });
  if (!/^ERR_LIBRARY_NOT_FOUND[\s\S]*npx node-tensorrt install\s*$/.test(check.output))
    throw new SetupError(`expected the check to say how to get a library, given:\n${check.output}`);
  const library = cachedTensorRT();
  if (library === null) return { check, plan: null };
  const own = { ...env, NODE_TENSORRT_LIBRARY: library };
  const plan = await timed('the first plan', command, [...first, 'smoke.mjs', 'plan'], { cwd: project, env: own });
  if (!/^plan: \d+ bytes, SHA-256 [0-9a-f]{64}$/m.test(plan.output))
    throw new SetupError(`expected a plan, given:\n${plan.output}`);
  return { check, plan };
}

const s = ({ seconds }) => `${seconds.toFixed(1)} s`;

/** One line about an installation and what came after. */
export function timesOf(name, install, { check, plan }) {
  const load = loadavg()[0].toFixed(1);
  const both = { seconds: install.seconds + check.seconds };
  const last = plan ? `first plan ${s(plan)}` : 'no plan: npx node-tensorrt install was not run here';
  return `${name}: install ${s(install)}, first check ${s(check)}, together ${s(both)}; ${last}; load ${load}`;
}
