import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { capture, SetupError } from '../install/process.mjs';
import { ADDON, GLIBC, PLUGINS, platforms } from './platforms.mjs';

const NODE_API = 8;
const LIMIT = 2.5 * 2 ** 20;
/** Parts of glibc, and the loader. */
const LIBRARIES = /^(lib(c|m|dl|pthread|rt)|ld-linux-(x86-64|aarch64))\.so\.\d$/;

const { symbols } = createRequire(import.meta.url)('node-api-headers');
/** The functions of Node-API up to our version, as Node's project publishes them. */
const known = new Set([...symbols[`v${NODE_API}`].js_native_api_symbols, ...symbols[`v${NODE_API}`].node_api_symbols]);

/** What readelf (binutils) says of a library. */
export async function inspect(path) {
  const args = ['--wide', '--file-header', '--section-headers', '--dynamic', '--dyn-syms', '--version-info', path];
  const { code, output: text } = await capture('readelf', args, { env: { ...process.env, LC_ALL: 'C' } });
  if (code === 127) throw new SetupError(`${text}: install binutils`);
  const rows = text.split('\n').map((line) => line.trim().split(/\s+/));
  // Num: Value Size Type Bind Vis Ndx Name
  const dynamic = rows.filter(([number, , , , bind]) => /^\d+:$/.test(number) && /^(GLOBAL|WEAK)$/.test(bind ?? ''));
  const names = (wanted) => dynamic.filter(wanted).map(([, , , , , , , name]) => name ?? '');
  return {
    machine: /^\s*Machine:\s+(.*?)\s*$/m.exec(text)?.[1] ?? 'not an ELF file',
    needed: [...text.matchAll(/\(NEEDED\)\s+Shared library: \[(.*)\]/g)].map(([, name]) => name),
    flags: /\(FLAGS_1\)\s+Flags: (.*)/.exec(text)?.[1].trim().split(/\s+/) ?? [],
    isStripped: !/\s\.symtab\s/.test(text),
    undefined: names(([, , , , bind, , index]) => index === 'UND' && bind === 'GLOBAL'),
    defined: names(([, , , , , , index]) => index !== 'UND').map((name) => name.split('@')[0]),
    versions: [...new Set([...text.matchAll(/Name: (\S+)\s+Flags: \S+\s+Version: \d+/g)].map(([, name]) => name))],
  };
}

const newer = (a, b) => {
  const [x, y] = [a, b].map((version) => version.split('.').map(Number));
  return x[0] - y[0] || (x[1] ?? 0) - (y[1] ?? 0) || (x[2] ?? 0) - (y[2] ?? 0);
};

/**
 * What a binary has that its package does not promise.
 * @param {{ path: string, platform: keyof typeof platforms, isAddon: boolean, root?: string }} options `root`: a folder that it must not name
 * @returns {Promise<string[]>}
 */
export async function problemsOf({ path, platform, isAddon, root }) {
  const { size } = statSync(path);
  const found = await inspect(path);
  const problems = [];
  const expect = (isRight, expected, given) => isRight || problems.push(`expected ${expected}, given ${given}`);
  const { machine } = platforms[platform];
  expect(found.machine === machine, `a library for ${machine}`, found.machine);
  expect(size <= LIMIT, `at most ${LIMIT} bytes`, size);
  expect(found.isStripped, 'no symbol table', 'one');
  expect(found.flags.includes('NODELETE'), '-z nodelete', found.flags.join(' ') || 'no flags');
  for (const name of found.needed) expect(LIBRARIES.test(name), "glibc's libraries only", name);
  for (const version of found.versions) {
    const number = /^GLIBC_(\d+(\.\d+)+)$/.exec(version)?.[1];
    expect(number && newer(number, GLIBC) <= 0, `symbols of glibc up to ${GLIBC}`, version);
  }
  for (const name of found.undefined.filter((name) => !name.includes('@')))
    expect(isAddon && known.has(name), isAddon ? `Node-API ${NODE_API}` : 'symbols of glibc', name);
  const entry = isAddon ? 'napi_register_module_v1' : 'getCreators';
  expect(found.defined.includes(entry), `it to export ${entry}`, found.defined.join(', ') || 'nothing');
  if (root) expect(!readFileSync(path).includes(root), 'no path of this machine', root);
  return problems;
}

/**
 * Checks both binaries of a package.
 * @returns {Promise<string[]>} a line about each
 * @throws {SetupError} with everything that is wrong
 */
export async function checkPlatform({ root, platform, out }) {
  const lines = [];
  for (const file of [ADDON, PLUGINS]) {
    const path = join(out, file);
    const problems = await problemsOf({ path, platform, isAddon: file === ADDON, root });
    if (problems.length) throw new SetupError(`${path} is not fit to be published:\n  ${problems.join('\n  ')}`);
    lines.push(`${relative(root, path)}: ${statSync(path).size} bytes, glibc ${GLIBC} or later`);
  }
  return lines;
}
