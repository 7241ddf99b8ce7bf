import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { cacheDir } from '../../src/machine/search.js';
import { nodeAsync, root, tinyCheckout, write } from './checkout.js';
import { temporaryFolder } from './fake-library.js';
import { index, makeWheel, serve, WHEEL } from './index-server.js';

const dir = temporaryFolder();
const checkout = tinyCheckout(join(dir, 'checkout'));
const script = write(
  checkout,
  'fetch.mjs',
  `import { fetchTensorRT, RTX } from './scripts/install/tensorrt.mjs';
fetchTensorRT({ force: process.argv.includes('--force'), pin: { ...RTX, ...JSON.parse(process.env.PIN) } })
  .then(console.log, (error) => { console.error(error.message); process.exitCode = 1; });`,
);
const isWhole = write(
  checkout,
  'whole.mjs',
  `import { cachedTensorRT } from './scripts/install/tensorrt.mjs'; console.log(cachedTensorRT() !== null);`,
);

const { bytes, pin } = makeWheel();
const folder = 'tensorrt-rtx-1.7.1.116';
const library = join(folder, 'tensorrt_rtx_libs/libtensorrt_rtx.so.1');
let caches = 0;

/** An environment with a cache of its own, and nothing of this machine's pip. */
function place(origin: string, more: NodeJS.ProcessEnv = {}, its: object = pin) {
  const cache = join(dir, `cache-${caches++}`);
  const set = {
    PIN: JSON.stringify(its),
    NODE_TENSORRT_CACHE: cache,
    HOME: join(dir, 'home'),
    PIP_CONFIG_FILE: '/dev/null',
  };
  const unset = Object.fromEntries(
    Object.keys(process.env).flatMap((name) => (/^PIP_|_proxy$|CA_BUNDLE/i.test(name) ? [[name, undefined]] : [])),
  );
  const env = { ...unset, ...set, PIP_INDEX_URL: `${origin}/simple`, ...more };
  const fetch = (...args: string[]) => nodeAsync(checkout, [script, ...args], env);
  return { cache, env, fetch, text: () => readFileSync(join(cache, library), 'utf8') };
}

describe('from an index', () => {
  test.each([
    ['of JSON', {}],
    ['of HTML', { html: true }],
    ['with hashes', { sha256: pin.sha256 }],
    ['of HTML with hashes', { html: true, sha256: pin.sha256 }],
  ])('%s comes the wheel, and the library is left alone in the cache', async (_, options) => {
    const server = await serve(index(bytes, options));
    const { fetch, cache, text } = place(server.origin);
    expect(await fetch()).toEqual({ status: 0, stdout: `${join(cache, library)}\n`, stderr: '' });
    expect(text()).toBe('library\n');
    expect(server.asked).toEqual(['GET /simple/tensorrt-rtx-cu13-libs/', `GET /files/${WHEEL}`]);
    expect(server.headers[0]!.accept).toMatch(/application\/vnd\.pypi\.simple\.v1\+json.*text\/html/);
    expect(readdirSync(cache)).toEqual([folder]);
  });

  test('it is asked once, however many want it at once', async () => {
    const send = (_: unknown, response: { end(bytes: Uint8Array): void }) => setTimeout(() => response.end(bytes), 300);
    const server = await serve(index(bytes, { send: send as never }));
    const { fetch, cache } = place(server.origin);
    const results = await Promise.all([1, 2, 3, 4].map(() => fetch()));
    expect(results.map((one) => one.status)).toEqual([0, 0, 0, 0]);
    expect(server.asked).toHaveLength(2);
    expect((await fetch()).status).toBe(0);
    expect(server.asked).toHaveLength(2);
    expect(readdirSync(cache)).toEqual([folder]);
    await fetch('--force');
    expect(server.asked).toHaveLength(4);
  });

  test('the next place is asked where one has no such file, another one, or none that can be read', async () => {
    const empty = await serve((_, response) => response.writeHead(404).end());
    const other = await serve(index(makeWheel('other').bytes, { sha256: 'b'.repeat(64) }));
    const lying = await serve(index(makeWheel('other\n').bytes));
    const right = await serve(index(bytes));
    const env = {
      PIP_FIND_LINKS: join(dir, 'no-such-folder'),
      PIP_EXTRA_INDEX_URL: [other, lying, right].map(({ origin }) => `${origin}/simple/`).join(' '),
    };
    const { fetch, text } = place(empty.origin, env);
    expect((await fetch()).stderr).toBe('');
    expect(text()).toBe('library\n');
    expect([other.asked.length, lying.asked.length, right.asked.length]).toEqual([1, 2, 2]);
  });

  test('all that went wrong is told, without passwords, with what else can be done; nothing is left behind', async () => {
    const empty = await serve((_, response) => response.writeHead(404).end());
    const other = await serve(index(bytes, { sha256: 'b'.repeat(64) }));
    const url = empty.origin.replace('//', '//me:secret@');
    const env = { PIP_EXTRA_INDEX_URL: `${other.origin}/simple http://elsewhere.invalid/simple` };
    const { fetch, cache } = place(url, env);
    const { status, stderr } = await fetch();
    expect(status).toBe(1);
    for (const part of [
      'answered 404',
      `has one with SHA-256 ${'b'.repeat(64)}`,
      'trusted-host',
      'TENSORRT_ROOT',
      'NODE_TENSORRT_DOWNLOAD=0',
    ])
      expect(stderr).toContain(part);
    expect(stderr).not.toContain('secret');
    expect(readdirSync(cache)).toEqual([]);
  });

  test('a wheel of the right name and size with other content is refused', async () => {
    const server = await serve(index(Buffer.from(bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte)))));
    const { fetch, cache } = place(server.origin);
    const { status, stderr } = await fetch();
    expect([status, readdirSync(cache)]).toEqual([1, []]);
    expect(stderr).toMatch(/has another SHA-256, [0-9a-f]{64}/);
  });

  test('a broken connection is taken up where it broke, and a server that cannot do so is asked anew', async () => {
    const large = makeWheel(
      'x'.repeat(10),
      Object.fromEntries([['tensorrt_rtx_libs/a', Array.from({ length: 50_000 }, (_, i) => i * 7919).join()]]),
    );
    const half = large.bytes.length >> 1;
    for (const canResume of [true, false]) {
      let sent = 0;
      const server = await serve(
        index(large.bytes, {
          send: (request, response) => {
            const from = canResume ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
            if (from)
              response.writeHead(206, {
                'content-range': `bytes ${from}-${large.bytes.length - 1}/${large.bytes.length}`,
              });
            if (sent++) return response.end(large.bytes.subarray(from));
            response.writeHead(200, { 'content-length': large.bytes.length });
            return response.write(large.bytes.subarray(0, half), () => setTimeout(() => response.destroy(), 50));
          },
        }),
      );
      const { fetch, text } = place(server.origin, {}, large.pin);
      expect((await fetch()).stderr).toBe('');
      expect(text()).toBe('xxxxxxxxxx');
      expect(server.headers.at(-1)!.range).toBe(`bytes=${half}-`);
    }
  });

  test('what is longer than the wheel is not read to its end', async () => {
    let written = 0;
    const send = (_: unknown, response: import('node:http').ServerResponse) => {
      const more = () => {
        while (!response.destroyed && written < 2 ** 30) {
          written += 65_536;
          if (!response.write(Buffer.alloc(65_536))) return response.once('drain', more);
        }
        return response.end();
      };
      more();
    };
    const server = await serve(index(bytes, { send: send as never }));
    const { fetch, cache } = place(server.origin);
    expect((await fetch()).stderr).toMatch(/longer than the expected \d+ bytes/);
    expect(written).toBeLessThan(2 ** 26);
    expect(readdirSync(cache)).toEqual([]);
  });

  test('a wheel whose files are not those of its RECORD is refused, and so is one that leads out of its folder', async () => {
    for (const [wheel, why] of [
      [makeWheel('library\n', {}, 'another\n'), /contradicts its own RECORD.*SHA-256/],
      [makeWheel('library\n', { '../../evil': 'x' }), /invalid relative path/],
    ] as const) {
      const server = await serve(index(wheel.bytes));
      const { fetch, cache } = place(server.origin, {}, wheel.pin);
      expect((await fetch()).stderr).toMatch(why);
      expect(readdirSync(cache)).toEqual([]);
      expect(existsSync(join(cache, 'evil'))).toBe(false);
    }
  });
});

test.each([
  ['a folder', ''],
  ['a file', WHEEL],
  ['a file: URL', 'file:'],
])('from %s on disk, without an index', async (_, form) => {
  write(dir, `wheels/${WHEEL}`, '');
  writeFileSync(join(dir, 'wheels', WHEEL), bytes);
  const path = form === 'file:' ? pathToFileURL(join(dir, 'wheels')).href : join(dir, 'wheels', form);
  const { fetch, text } = place('http://unused.invalid', { PIP_NO_INDEX: '1', PIP_FIND_LINKS: path });
  expect((await fetch()).stderr).toBe('');
  expect(text()).toBe('library\n');
  expect(existsSync(join(dir, 'wheels', WHEEL))).toBe(true);
});

describe('credentials', () => {
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

  test.each(['the URL', '~/.netrc'])('of %s are sent to the index, and to no other host', async (from) => {
    const files = await serve(index(bytes));
    const redirecting = await serve(
      index(bytes, {
        send: (request, response) => response.writeHead(302, { location: files.origin + request.url }).end(),
      }),
    );
    const origin = from === 'the URL' ? redirecting.origin.replace('//', '//me:p%40ss@') : redirecting.origin;
    // A netrc knows no ports, so the other host has to have another name.
    const netrc = write(dir, 'netrc', from === 'the URL' ? '' : 'machine 127.0.0.1 login me password p@ss\n');
    const { fetch, text } = place(origin, { NETRC: netrc });
    expect((await fetch()).stderr).toBe('');
    expect(text()).toBe('library\n');
    expect(redirecting.headers.map((one) => one.authorization)).toEqual([basic('me:p@ss'), basic('me:p@ss')]);
    if (from === 'the URL') expect(files.headers.map((one) => one.authorization)).toEqual([undefined]);
  });
});

describe('the way there', () => {
  /** A proxy for tunnels that says what it was asked for. */
  async function proxy() {
    const asked: string[] = [];
    const server = createServer().on('connect', (request, client, head) => {
      asked.push(request.url!);
      const [host, port] = request.url!.split(':');
      const target = connect(Number(port), host!, () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        target.write(head);
        target.pipe(client);
        client.pipe(target);
      });
      for (const one of [client, target]) one.on('error', () => one.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    afterAll(() => server.close());
    return { asked, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  test.each([
    ['http_proxy', (address: string) => ({ http_proxy: `http://${address}` }), 1],
    ['ALL_PROXY', (address: string) => ({ ALL_PROXY: `http://${address}` }), 1],
    ["pip's proxy", (address: string) => ({ PIP_PROXY: address }), 1],
    ['no_proxy for a port', (address: string) => ({ http_proxy: `http://${address}`, no_proxy: '127.0.0.1:1' }), 1],
    ['no_proxy', (address: string) => ({ http_proxy: `http://${address}`, no_proxy: 'a.example,127.0.0.1' }), 0],
  ])('goes through a proxy as %s says', async (_, variables, times) => {
    const server = await serve(index(bytes));
    const { asked, address } = await proxy();
    const { fetch } = place(server.origin, variables(address));
    expect((await fetch()).stderr).toBe('');
    expect(asked.length > 0).toBe(times > 0);
  });

  const key = join(dir, 'key.pem');
  const cert = join(dir, 'cert.pem');
  const made =
    spawnSync('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-days',
      '2',
      '-subj',
      '/CN=127.0.0.1',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
    ]).status === 0;

  test('trusts the certificates that pip is told to trust, and no others', async ({ skip }) => {
    skip(!made, 'needs openssl');
    const server = await serve(index(bytes), { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') });
    expect((await place(server.origin).fetch()).stderr).toMatch(/self-signed certificate/);
    const certs = join(dir, 'certs');
    mkdirSync(certs);
    cpSync(cert, join(certs, 'a.pem'));
    for (const env of [
      { PIP_CERT: cert },
      { PIP_CERT: certs },
      { REQUESTS_CA_BUNDLE: cert },
      { PIP_TRUSTED_HOST: '127.0.0.1' },
    ])
      expect((await place(server.origin, env).fetch()).stderr).toBe('');
    expect((await place(server.origin, { PIP_CERT: '/nonexistent' }).fetch()).stderr).toMatch(
      /certificates in \/nonexistent/,
    );
  });
});

describe('what is in the cache', async () => {
  const server = await serve(index(bytes));
  const whole = async ({ env }: { env: NodeJS.ProcessEnv }) =>
    (await nodeAsync(checkout, [isWhole], env)).stdout.trim();

  test.each([
    ['cut', (path: string) => truncateSync(path, 3)],
    ['changed, and as long as before', (path: string) => writeFileSync(path, 'librarY\n')],
    [
      'changed, with the time it had',
      (path: string) => {
        // To the nanosecond.
        spawnSync('cp', ['-p', path, join(dir, 'before')]);
        writeFileSync(path, 'librarY\n');
        spawnSync('touch', ['-r', join(dir, 'before'), path]);
      },
    ],
    [
      'replaced by a folder',
      (path: string) => {
        spawnSync('rm', [path]);
        mkdirSync(path);
      },
    ],
    ['without its record', (path: string) => writeFileSync(join(path, '../../complete.json'), '{')],
    ['gone', (path: string) => spawnSync('rm', [path])],
  ])('is fetched again if the library is %s', async (_, harm) => {
    const one = place(server.origin);
    await one.fetch();
    expect(await whole(one)).toBe('true');
    harm(join(one.cache, library));
    expect(await whole(one)).toBe('false');
    expect((await one.fetch()).stderr).toBe('');
    expect(one.text()).toBe('library\n');
    expect(readdirSync(one.cache)).toEqual([folder]);
  });

  test('stays if it was only copied or touched, and is not hashed again each time', async () => {
    const one = place(server.origin);
    await one.fetch();
    const copy = join(dir, 'copied-cache');
    cpSync(one.cache, copy, { recursive: true });
    const env = { ...one.env, NODE_TENSORRT_CACHE: copy };
    const record = () => readFileSync(join(copy, folder, 'complete.json'), 'utf8');
    const before = record();
    expect(await whole({ env })).toBe('true');
    const seen = record();
    expect(seen).not.toBe(before);
    expect(await whole({ env })).toBe('true');
    expect(record()).toBe(seen);
  });

  test('is cleared of what a killed run left', async () => {
    const one = place(server.origin);
    write(one.cache, `${folder}.tmp-dead/wheel`, 'half');
    expect((await one.fetch()).status).toBe(0);
    expect(readdirSync(one.cache)).toEqual([folder]);
  });

  test('a folder that cannot be written is named, with the way out', async () => {
    const one = place(server.origin, { NODE_TENSORRT_CACHE: '/dev/null/cache' });
    const { status, stderr } = await one.fetch();
    expect(status).toBe(1);
    expect(stderr).toMatch(/\/dev\/null\/cache cannot be written: ENOTDIR[\s\S]*NODE_TENSORRT_CACHE=DIR/);
  });

  test('folders that cannot be made anywhere are refused at once', () => {
    const files = pathToFileURL(join(root, 'scripts/install/files.mjs')).href;
    const code = `(await import('${files}')).makeFolder('/proc/nohome/.cache/tensorrt')`;
    const { stderr, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(signal).toBeNull();
    expect(stderr).toContain("ENOENT: no such file or directory, mkdir '/proc/nohome'");
  });
});

describe('the lock', async () => {
  const { withLock } = await import(pathToFileURL(join(root, 'scripts/install/lock.mjs')).href);
  const lock = join(dir, 'a.lock');
  const gone = () => spawnSync('true').pid;
  const own = async () => {
    let text = '';
    await withLock(join(dir, 'own.lock'), async () => {
      text = readFileSync(join(dir, 'own.lock'), 'utf8');
    });
    return JSON.parse(text);
  };
  const take = (staleMs: number) => {
    const start = performance.now();
    return withLock(lock, async () => performance.now() - start, { staleMs });
  };

  test('of a process that is gone does not block', async () => {
    writeFileSync(lock, JSON.stringify({ ...(await own()), pid: gone() }));
    expect(await take(60_000)).toBeLessThan(5000);
    expect(existsSync(lock)).toBe(false);
  });

  test.each([
    ['now', 0],
    ['a year ahead', 365 * 86_400_000],
  ])('that nobody touches does not block for long, though its time is %s', async (_, ahead) => {
    // Of another host nothing is known but whether it touches the file.
    writeFileSync(lock, JSON.stringify({ pid: 1, scope: 'elsewhere' }));
    const time = new Date(Date.now() + (ahead as number));
    utimesSync(lock, time, time);
    expect(await take(500)).toBeGreaterThan(450);
    expect(existsSync(lock)).toBe(false);
  });

  test('that is old is broken at once', async () => {
    writeFileSync(lock, '');
    const time = new Date(Date.now() - 3_600_000);
    utimesSync(lock, time, time);
    expect(await take(60_000)).toBeLessThan(5000);
  });

  test('is kept by a holder that lives, whose clock is wrong', async () => {
    writeFileSync(lock, JSON.stringify({ pid: 1, scope: 'elsewhere' }));
    let time = Date.now() + 86_400_000;
    const beat = setInterval(() => {
      time += 100;
      utimesSync(lock, new Date(), new Date(time));
    }, 100);
    let held = false;
    const waiting = take(1000).then(() => {
      held = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(held).toBe(false);
    clearInterval(beat);
    await waiting;
  });

  test('of this process is waited for', async () => {
    writeFileSync(lock, JSON.stringify({ ...(await own()), pid: process.pid }));
    expect(await take(700)).toBeGreaterThan(650);
  });
});

describe('a checkout or home that is not as usual:', () => {
  const isRoot = process.getuid?.() === 0;

  test('a read-only home is named, and what it holds already is used', async ({ skip }) => {
    skip(!isRoot, 'needs root, to be another user');
    const server = await serve(index(bytes));
    const { cache, env } = place(server.origin);
    mkdirSync(cache);
    for (let path = dir; path !== '/tmp' && path !== '/'; path = join(path, '..')) chmodSync(path, 0o755);
    const asNobody = () => nodeAsync(checkout, [script], env, { uid: 65534, gid: 65534 });
    const { status, stderr } = await asNobody();
    expect(stderr).toMatch(/cannot be written: EACCES/);
    expect(status).toBe(1);
    expect((await nodeAsync(checkout, [script], env)).status).toBe(0);
    const copied = join(dir, 'read-only');
    cpSync(cache, copied, { recursive: true });
    const result = await nodeAsync(
      checkout,
      [isWhole],
      { ...env, NODE_TENSORRT_CACHE: copied },
      { uid: 65534, gid: 65534 },
    );
    expect(result.stdout).toBe('true\n');
  });

  test('through a link everything works as without', async () => {
    const link = join(dir, 'link');
    symlinkSync(checkout, link);
    const { status, stderr } = await nodeAsync('/', [join(link, 'scripts/setup.mjs')], { NODE_TENSORRT_DOWNLOAD: '0' });
    expect(stderr).toMatch(/compiling the addon/);
    expect(status).toBe(0);
    expect(existsSync(join(checkout, 'build/Release/node_tensorrt.node'))).toBe(true);
  });
});

test.each([
  [{}],
  [{ XDG_CACHE_HOME: '/x' }],
  [{ XDG_CACHE_HOME: 'x' }],
  [{ XDG_CACHE_HOME: '/x', NODE_TENSORRT_CACHE: '/y' }],
])('the cache that is filled is the one that is searched (%j)', async (env) => {
  const filled = await import(pathToFileURL(join(root, 'scripts/install/tensorrt.mjs')).href);
  expect(cacheDir(env)).toBe(filled.cacheDir(env));
});

test('nothing in the published scripts reaches outside them, but for dependencies once they are there', () => {
  const { files, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(files).toEqual(expect.arrayContaining(['scripts/install.mjs', 'scripts/install']));
  const published = ['install.mjs', ...readdirSync(join(root, 'scripts/install'))]
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => (name === 'install.mjs' ? name : `install/${name}`));
  // They are imported by fetchTensorRT alone, when it fetches.
  const late = ['http.mjs', 'index.mjs', 'wheel.mjs'];
  for (const name of published) {
    const text = readFileSync(join(root, 'scripts', name), 'utf8');
    const imports = [...text.matchAll(/^import .*from '([^']+)'|^} from '([^']+)'/gm)].map(
      (match) => match[1] ?? match[2]!,
    );
    const outside = imports.filter((from) => !/^(node:|\.\/)/.test(from));
    expect(late.includes(name.slice(8)) ? outside.filter((from) => !dependencies[from]) : outside).toEqual([]);
    if (!late.includes(name.slice(8))) expect(imports.filter((from) => late.includes(from.slice(2)))).toEqual([]);
  }
});
