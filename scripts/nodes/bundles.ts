import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { link, makePlatformPackage, makeProject, platformPackage } from './project.js';

const require = createRequire(import.meta.url);
const program = fileURLToPath(new URL('../../test/nodes/suite/fixtures/program.mjs', import.meta.url));

/** The command of a package that another one depends on. */
function command(name: string, dependent: string): string {
  const manifest = createRequire(require.resolve(`${dependent}/package.json`)).resolve(`${name}/package.json`);
  return join(
    dirname(manifest),
    (JSON.parse(readFileSync(manifest, 'utf8')) as { bin: Record<string, string> }).bin[name]!,
  );
}

const esbuild = command('esbuild', 'tsx');
const vite = command('vite', 'vitest');

function byEsbuild(project: string, format: 'esm' | 'cjs', out: string): void {
  const args = ['src/main.mjs', '--bundle', '--platform=node', `--format=${format}`, '--sourcemap', `--outfile=${out}`];
  execFileSync(esbuild, [...args, '--log-level=error'], { cwd: project, stdio: ['ignore', 'inherit', 'inherit'] });
}

function byVite(project: string, out: string, config: string): void {
  writeFileSync(join(project, 'vite.config.mjs'), `export default ${config};\n`);
  const args = ['build', '--ssr', 'src/main.mjs', '--outDir', out, '--sourcemap', '--logLevel', 'error'];
  execFileSync(process.execPath, [vite, ...args], { cwd: project, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** Projects with bundles of test/nodes/suite/fixtures/program.mjs. */
export function makeBundles(folder: string): void {
  for (const layout of ['npm', 'pnpm'] as const) {
    const project = join(folder, layout);
    makeProject(project, layout);
    mkdirSync(join(project, 'src'));
    cpSync(program, join(project, 'src', 'main.mjs'));
    byEsbuild(project, 'esm', 'esbuild/main.mjs');
    byEsbuild(project, 'cjs', 'esbuild/main.cjs');
    byVite(project, 'vite', '{}');
    byVite(project, 'vite-bundled', '{ ssr: { noExternal: true } }');
  }
  // What is deployed without all of node_modules.
  for (const name of ['alone', 'platform', 'other']) {
    cpSync(join(folder, 'npm', 'esbuild'), join(folder, name), { recursive: true });
    link(join(folder, name, 'node_modules'), 'onnxruntime-node');
  }
  makePlatformPackage(join(folder, 'platform', 'node_modules', platformPackage));
  const other = join(folder, 'other', 'node_modules', 'node-tensorrt');
  mkdirSync(other, { recursive: true });
  writeFileSync(join(other, 'package.json'), JSON.stringify({ name: 'node-tensorrt', version: '0.0.1' }));
}
