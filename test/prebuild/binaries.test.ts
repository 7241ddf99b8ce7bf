import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');
const script = (name: string) => import(new URL(`../../scripts/prebuild/${name}.mjs`, import.meta.url).href);
const { problemsOf } = (await script('check')) as {
  problemsOf(options: { path: string; platform: string; isAddon: boolean; root?: string }): Promise<string[]>;
};
const { packageFiles } = (await script('package')) as {
  packageFiles(root: string, platform: string): Record<string, string>;
};
const { ADDON, PLUGINS, platforms } = (await script('platforms')) as {
  ADDON: string;
  PLUGINS: string;
  platforms: Record<string, { cpu: string; machine: string }>;
};
const names = Object.keys(platforms);
const own = names.find((name) => platforms[name]!.cpu === process.arch);
const notBuilt = 'not compiled here: npm run addons';

describe.each(names)('%s', (platform) => {
  const dir = join(root, 'packages', platform);

  test.for([ADDON, PLUGINS])('%s is what the package promises', async (file, { skip }) => {
    const path = join(dir, file);
    if (!existsSync(path)) skip(notBuilt);
    expect(await problemsOf({ path, platform, isAddon: file === ADDON, root })).toEqual([]);
  });

  test.for(Object.entries(packageFiles(root, platform)))('%s is what the template gives', ([name, text]) => {
    expect(readFileSync(join(dir, name), 'utf8'), `npm run addons -- ${platform}`).toBe(text);
  });
});

test('this platform’s addon loads', ({ skip }) => {
  const path = own && join(root, 'packages', own, ADDON);
  if (!path || !existsSync(path)) return skip(notBuilt);
  const code = `console.log(typeof require(${JSON.stringify(path)}).shutdown)`;
  expect(execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' }).trim()).toBe('function');
});

describe('a binary is refused', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'node-tensorrt-prebuild-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const entry = 'void *napi_register_module_v1(void) { return 0; }\n';
  const flags = ['-shared', '-fPIC', '-s', '-Wl,-z,nodelete'];

  /** What is wrong with a library made of C; nothing but what a case is about, unless the machine's compiler adds to it. */
  async function problems(code: string, { args = flags, platform = own, isAddon = true, compiler = 'cc' } = {}) {
    const [source, path] = [join(dir, 'made.c'), join(dir, 'made.node')];
    writeFileSync(source, code);
    execFileSync(compiler, [...args, '-o', path, source]);
    return problemsOf({ path, platform: platform!, isAddon, root });
  }

  test('but one that has only what it may is not', async () => {
    expect(await problems(`void napi_create_object(void);\nvoid f(void) { napi_create_object(); }\n${entry}`)).toEqual(
      [],
    );
  });

  test('that is no ELF file', async () => {
    const path = join(dir, 'text.node');
    writeFileSync(path, 'text');
    const [first] = await problemsOf({ path, platform: own!, isAddon: true });
    expect(first).toMatch(/^expected a library for .*, given not an ELF file$/);
  });

  test('that is for another processor', async () => {
    const other = names.find((name) => name !== own)!;
    expect(await problems(entry, { platform: other })).toEqual([
      `expected a library for ${platforms[other]!.machine}, given ${platforms[own!]!.machine}`,
    ]);
  });

  test.for([
    ['a function of Node-API 9', 'node_api_get_module_file_name'],
    ['a function of Node’s own', 'node_module_register'],
  ])('that needs %s', async ([, name]) => {
    const code = `void ${name}(void);\nvoid f(void) { ${name}(); }\n${entry}`;
    expect(await problems(code)).toEqual([`expected Node-API 8, given ${name}`]);
  });

  test('that needs Node-API where none is', async () => {
    const code = 'void napi_create_object(void);\nvoid getCreators(void) { napi_create_object(); }\n';
    expect(await problems(code, { isAddon: false })).toEqual(['expected symbols of glibc, given napi_create_object']);
  });

  test('that needs a newer glibc', async () => {
    const code = `void arc4random_buf(void *, unsigned long);\nvoid f(void *p) { arc4random_buf(p, 1); }\n${entry}`;
    expect(await problems(code)).toEqual(['expected symbols of glibc up to 2.28, given GLIBC_2.36']);
  });

  test('that needs the compiler’s C++ library', async () => {
    const code = `#include <string>\nextern "C" void *napi_register_module_v1(char const *s) { return new std::string(s); }\n`;
    const found = await problems(code, { args: [...flags, '-xc++'], compiler: 'c++' });
    expect(found).toContain("expected glibc's libraries only, given libstdc++.so.6");
    expect(found.some((line) => line.includes('GLIBCXX_3.4'))).toBe(true);
  });

  test('that has a symbol table, can be unloaded, exports nothing, is large or names a path', async () => {
    const code = `static char const path[] = "${root}/native";\nchar big[3 << 20] = {1};\nchar const *f(void) { return path; }\n`;
    const found = await problems(code, { args: ['-shared', '-fPIC'] });
    expect(found).toHaveLength(5);
    expect(found[0]).toMatch(/^expected at most 2621440 bytes, given \d+$/);
    expect(found.slice(1)).toEqual([
      'expected no symbol table, given one',
      'expected -z nodelete, given no flags',
      expect.stringMatching(/^expected it to export napi_register_module_v1, given .*\bbig\b/),
      `expected no path of this machine, given ${root}`,
    ]);
  });
});
