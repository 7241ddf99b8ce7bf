import { capture, SetupError, which } from './process.mjs';

const NODE_MAJOR = 20;
const CMAKE = [3, 18];

const apt = (...packages) => `${process.getuid?.() === 0 ? '' : 'sudo '}apt-get install -y ${packages.join(' ')}`;

const olderThan = (version, [major, minor]) => {
  const [a = 0, b = 0] = version.split('.').map(Number);
  return a < major || (a === major && b < minor);
};

export const nodeIsOld = () => olderThan(process.versions.node, [NODE_MAJOR, 0]);

/**
 * Lists what this machine lacks for the given work.
 * @param {{ compile?: boolean, npm?: boolean }} needs
 * @returns {Promise<{ name: string, why: string, packages?: string[], line: string }[]>}
 */
export async function missingPrerequisites(needs, env = process.env) {
  const missing = [];
  const lack = (name, why, ...packages) => missing.push({ name, why, packages, line: apt(...packages) });

  if (nodeIsOld()) {
    const why = `this is Node ${process.versions.node}`;
    missing.push({ name: `Node.js ${NODE_MAJOR} or later`, why, line: `nvm install ${NODE_MAJOR}` });
  }
  if (needs.npm && !env.npm_execpath && !which('npm', env)) lack('npm', 'installs the dependencies', 'npm');
  if (needs.compile) {
    if (!compiler(env)) lack('a C++ compiler (g++ or clang++)', 'compiles the addon', 'g++');
    if (!which('make', env) && !which('ninja', env)) lack('make or ninja', 'compiles the addon', 'make');
    const cmake = which('cmake', env) ? (await capture('cmake', ['--version'], { env })).output : '';
    const version = /version (\d+\.\d+)/.exec(cmake)?.[1];
    const name = `CMake ${CMAKE.join('.')} or later`;
    if (!version) lack(name, 'compiles the addon', 'cmake');
    else if (olderThan(version, CMAKE)) lack(name, `this is CMake ${version}`, 'cmake');
  }
  return missing;
}

/** Path of the C++ compiler that CMake will use, or null. */
export function compiler(env = process.env) {
  const names = env.CXX ? [env.CXX.split(' ')[0]] : ['c++', 'g++', 'clang++'];
  for (const name of names) {
    const path = which(name, env);
    if (path) return path;
  }
  return null;
}

/** Throws a SetupError that lists everything missing, each with the command that installs it. */
export async function demand(needs, env = process.env) {
  const missing = await missingPrerequisites(needs, env);
  if (missing.length === 0) return;
  const packages = missing.flatMap((item) => item.packages ?? []);
  const lines = missing.map((item) => `  ${item.name} (${item.why}): ${item.line}`);
  if (missing.length > 1 && packages.length > 1) lines.push(`  all at once: ${apt(...packages)}`);
  throw new SetupError(`missing here:\n${lines.join('\n')}`);
}
