import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { root } from './checkout.js';
import { temporaryFolder } from './fake-library.js';

/** What pip itself makes of them, from fixtures/pip.py. */
const { configs, pages } = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/pip.json'), 'utf8')) as Record<
  string,
  object[]
>;
const load = (name: string) => import(pathToFileURL(join(root, 'scripts/install', name)).href);
const { pipConfig, parseConfig, fromNetrc } = await load('pip-config.mjs');
const { fromHtml, places } = await load('index.mjs');
const dir = temporaryFolder();

test.each(configs!.map((one, i) => [i, one] as const))('reads the configuration as pip does: %i', (i, one) => {
  const home = join(dir, String(i));
  const real = (text: string) => text.replaceAll('~', home);
  const { env = {}, files = {}, pip } = one as { env: object; files: object; pip: Record<string, unknown> };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(real(path)), { recursive: true });
    writeFileSync(real(path), text);
  }
  const variables = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, real(value)]));
  const read = pipConfig({ HOME: home, ...variables }, { etc: join(home, 'none'), prefix: join(home, 'none') });
  // Where nothing is set, pip waits for 15 seconds.
  const { timeout = 15, cert = null, clientCert = null, proxy = '' } = read;
  expect({ ...read, timeout, cert, clientCert, proxy }).toEqual({ ...pip, proxy: pip.proxy ?? '' });
});

test('a virtual environment has its own file', () => {
  mkdirSync(join(dir, 'venv'));
  writeFileSync(join(dir, 'venv/pip.conf'), '[global]\nindex-url = https://venv.example/simple\n');
  const read = (env: object) =>
    pipConfig({ HOME: '/nonexistent', ...env }, { etc: '/nonexistent', prefix: '/nonexistent' });
  expect(read({ VIRTUAL_ENV: join(dir, 'venv') }).indexes).toEqual(['https://venv.example/simple']);
  expect(read({ CONDA_PREFIX: join(dir, 'venv') }).indexes).toEqual(['https://venv.example/simple']);
  expect(read({}).indexes).toEqual(['https://pypi.org/simple']);
});

test('broken files are read as far as they go', () => {
  expect(parseConfig('index-url = x\n[global\n  y\n[a]\nnothing\nb = 1\n')).toEqual({ a: { b: '1' } });
  expect(parseConfig('[__proto__]\na = 1\n[global]\n__proto__ = 2\n')).toMatchObject({ global: {} });
  expect(({} as Record<string, unknown>).a).toBeUndefined();
});

test.each(pages!.map((one, i) => [i, one] as const))('finds the links of a page as pip does: %i', (_, one) => {
  const { text, pip } = one as { text: string; pip: object[] };
  expect(fromHtml(text, 'https://i.example/simple/a/')).toEqual(pip);
});

test('names of projects are normalized, links come first', () => {
  const config = { indexes: ['https://i.example/simple/'], findLinks: ['/wheels'] };
  expect(places(config, 'A_b.C--d')).toEqual(['/wheels', 'https://i.example/simple/a-b-c-d/']);
});

test.each([
  ['machine a.example login me password secret', { login: 'me', password: 'secret' }],
  [
    'machine b.example login x password y\nmachine a.example\n  login me\n  password "se cret\\""',
    { login: 'me', password: 'se cret"' },
  ],
  ['# machine a.example login no password no\ndefault login any password one', { login: 'any', password: 'one' }],
  ['machine b.example login x password y', undefined],
  [
    'macdef init\nmachine a.example login no password no\n\nmachine a.example login me password z',
    { login: 'me', password: 'z' },
  ],
])('reads ~/.netrc: %j', (text, found) => {
  writeFileSync(join(dir, 'netrc'), text);
  expect(fromNetrc('a.example', { NETRC: join(dir, 'netrc') })).toEqual(found);
});
