import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeChecksums } from '../../scripts/release/checksums.mjs';
import { platforms } from '../../scripts/release/platforms.mjs';
import { serveTarballs } from '../../scripts/release/registry.mjs';
import { syncVersions } from '../../scripts/release/versions.mjs';
import { cleanEnv, root, write } from '../setup/checkout.js';
import { temporaryFolder } from '../setup/fake-library.js';

const dir = temporaryFolder();
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const places = [
  'package.json',
  'package-lock.json',
  'src/package/version.ts',
  ...platforms.map(({ folder }) => `${folder}/package.json`),
];

test('one version stands everywhere, and follows package.json', () => {
  const { version } = json(join(root, 'package.json'));
  const checkout = join(dir, 'versions');
  for (const path of places) cpSync(join(root, path), join(checkout, path), { recursive: true });
  expect(syncVersions(checkout)).toBe(version);
  for (const path of places)
    expect(readFileSync(join(checkout, path), 'utf8')).toBe(readFileSync(join(root, path), 'utf8'));

  write(checkout, 'package.json', JSON.stringify({ ...json(join(root, 'package.json')), version: '7.8.9' }));
  syncVersions(checkout);
  for (const { folder } of platforms) expect(json(join(checkout, folder, 'package.json')).version).toBe('7.8.9');
  expect(json(join(checkout, 'package-lock.json'))).toMatchObject({
    version: '7.8.9',
    packages: { '': { version: '7.8.9' } },
  });
  expect(readFileSync(join(checkout, 'src/package/version.ts'), 'utf8')).toContain("version = '7.8.9'");
});

test('the platform packages are those that the addon is looked for in', () => {
  for (const { platform, name, folder } of platforms) {
    const manifest = json(join(root, folder, 'package.json'));
    const [os, cpu] = platform.split('-');
    expect(manifest).toMatchObject({ name, os: [os], cpu: [cpu], libc: ['glibc'], main: 'node_tensorrt.node' });
    expect(manifest.scripts).toBe(undefined);
  }
});

test('npm installs from the registry of the dry run; sha256sum takes the checksums', async () => {
  const folder = join(dir, 'tiny');
  write(folder, 'package.json', JSON.stringify({ name: '@node-tensorrt/tiny', version: '1.2.3' }));
  write(folder, 'index.js', 'module.exports = 42;\n');
  const env = cleanEnv({});
  const tarball = execFileSync('npm', ['pack', '--silent'], { cwd: folder, env, encoding: 'utf8' }).trim();
  writeChecksums(folder, [join(folder, tarball)]);
  expect(execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: folder, encoding: 'utf8' })).toBe(
    `${tarball}: OK\n`,
  );

  const registry = await serveTarballs([join(folder, tarball)]);
  try {
    const answer = await fetch(`${registry.origin}/@node-tensorrt%2ftiny`);
    const { versions } = (await answer.json()) as {
      versions: Record<string, { dist: { tarball: string; integrity: string } }>;
    };
    const { dist } = versions['1.2.3']!;
    const bytes = Buffer.from(await (await fetch(dist.tarball)).arrayBuffer());
    expect(bytes.equals(readFileSync(join(folder, tarball)))).toBe(true);
    mkdirSync(join(dir, 'project'));
    write(dir, 'project/package.json', '{}');
    write(dir, 'project/index.cjs', "console.log(require('@node-tensorrt/tiny'));\n");
    const args = [
      'install',
      '--registry',
      registry.origin,
      '--no-audit',
      '--no-fund',
      '--cache',
      join(dir, 'npm'),
      '@node-tensorrt/tiny',
    ];
    const child = spawn('npm', args, { cwd: join(dir, 'project'), env, stdio: 'ignore' });
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(0);
    expect(execFileSync('node', ['index.cjs'], { cwd: join(dir, 'project'), encoding: 'utf8' })).toBe('42\n');
    expect(json(join(dir, 'project/package-lock.json')).packages['node_modules/@node-tensorrt/tiny'].integrity).toBe(
      dist.integrity,
    );
  } finally {
    registry.close();
  }
});
