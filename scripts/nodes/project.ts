import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};
export const platformPackage = `@node-tensorrt/linux-${process.arch}`;

/** The tarball that `npm pack` makes of this checkout; it is made once. */
let tarball: string | undefined;

function unpackPackage(folder: string): void {
  mkdirSync(folder, { recursive: true });
  tarball ??= pack();
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', folder]);
}

function pack(): string {
  const folder = mkdtempSync(join(tmpdir(), 'node-tensorrt-pack-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 }));
  return join(folder, filename);
}

/** Makes the package of this platform, with the addon of this checkout. */
export function makePlatformPackage(folder: string, ofVersion = version): void {
  mkdirSync(folder, { recursive: true });
  const manifest = { name: platformPackage, version: ofVersion, main: 'node_tensorrt.node' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  for (const file of ['node_tensorrt.node', 'libnode_tensorrt_plugins.so'])
    copyFileSync(join(root, 'build', 'Release', file), join(folder, file));
}

/** Puts a package of this checkout into a folder of packages. */
export function link(folder: string, name: string): void {
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(root, 'node_modules', name), join(folder, name));
}

/**
 * A project outside of this checkout that has what is packed, with the package of this platform, laid out as npm does it (side by
 * side) or as pnpm does it (a package sees what it depends on, the project sees what it named).
 */
export function makeProject(folder: string, layout: 'npm' | 'pnpm'): void {
  const top = join(folder, 'node_modules');
  const store = (name: string) => join(top, '.pnpm', `${name.replace('/', '+')}@${version}`, 'node_modules');
  const place = (name: string) => join(layout === 'npm' ? top : store(name), name);
  unpackPackage(place('node-tensorrt'));
  makePlatformPackage(place(platformPackage));
  const siblings = layout === 'npm' ? top : store('node-tensorrt');
  for (const name of Object.keys(dependencies)) link(siblings, name);
  link(top, 'onnxruntime-node');
  if (layout === 'pnpm') {
    link(siblings, 'onnxruntime-node');
    for (const [from, name] of [
      [top, 'node-tensorrt'],
      [siblings, platformPackage],
    ] as const) {
      mkdirSync(dirname(join(from, name)), { recursive: true });
      symlinkSync(relative(dirname(join(from, name)), place(name)), join(from, name));
    }
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }));
}
