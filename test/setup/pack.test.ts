import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { cleanEnv, root } from './checkout.js';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
let packed: Set<string>;

beforeAll(() => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = spawnSync('npm', args, { cwd: root, env: cleanEnv({}), encoding: 'utf8', maxBuffer: 2 ** 26 });
  packed = new Set(JSON.parse(stdout)[0].files.map(({ path }: { path: string }) => path));
}, 60_000);

/** Paths that a packed file points at, of files or folders, and that are not packed with it. */
function missing(file: string, targets: readonly string[]): string[] {
  return targets
    .map((target) => normalize(join(dirname(file), target)))
    .filter((target) => !packed.has(target) && ![...packed].some((path) => path.startsWith(`${target}/`)))
    .map((target) => `${file}: ${target}`);
}

test('every source map is packed, and so is the source it leads to', () => {
  const compiled = [...packed].filter((file) => /^dist\/.*\.(js|d\.ts)$/.test(file));
  expect(compiled.length).toBeGreaterThan(100);
  let reached = 0;
  const lost = compiled.flatMap((file) => {
    const map = /\/\/# sourceMappingURL=(.*)/.exec(read(file))?.[1];
    const problems = map === undefined ? [`${file}: no source map`] : missing(file, [map]);
    if (problems.length > 0) return problems;
    const { sources }: { sources: string[] } = JSON.parse(read(join(dirname(file), map!)));
    // What a dist/ that is not rebuilt yet has of deleted files is no matter of the package.
    const present = sources.filter((source) => existsSync(join(root, dirname(file), source)));
    reached += present.length;
    return missing(file, present);
  });
  expect(reached).toBeGreaterThan(compiled.length - 20);
  expect(lost).toEqual([]);
});

test('links of the packed pages lead to packed files', () => {
  const pages = [...packed].filter((file) => file.endsWith('.md'));
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/layers.md', 'docs/weights.md']));
  const lost = pages.flatMap((file) => {
    const links = [...read(file).matchAll(/\]\(([^)#\s]+)/g)].map(([, link]) => link!);
    return missing(
      file,
      links.filter((link) => !/^\w+:/.test(link)),
    );
  });
  expect(lost).toEqual([]);
});

test('no weights but those of the README’s sample, no numbers but those of a new project’s test, no tests and no products of a build are packed', () => {
  const odd = [...packed].filter((file) => !/\.(js|mjs|ts|map|json|md|cc|h|def|txt|py|cu)$|^LICENSE$/.test(file));
  expect(odd.sort()).toEqual([
    'examples/digits/digits.safetensors',
    'templates/init/_gitignore',
    'templates/init/test/reference.safetensors',
  ]);
  expect([...packed].filter((file) => /^(test|build|bench|node_modules)\/|\.tsbuildinfo$/.test(file))).toEqual([]);
});
