import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadWeights, saveSafetensors, weight } from '../src/weights/index.js';
import { writeFileWhole } from '../src/write-file.js';
import { root } from './setup/checkout.js';
import { temporaryFolder } from './setup/fake-library.js';

const dir = temporaryFolder();
/** For child processes, which tsx lets import it. */
const source = JSON.stringify(pathToFileURL(join(root, 'src/write-file.ts')).href);
const tsx = ['--import', join(root, 'node_modules/tsx/dist/esm/index.mjs')];
let folders = 0;
const folder = () => {
  const path = join(dir, String(folders++));
  mkdirSync(path);
  return path;
};
const bytes = Buffer.from('new content');
const write = (path: string) => writeFileWhole(path, (append) => append(bytes));
const isRoot = process.getuid?.() === 0;

describe('a file that is written whole', () => {
  test('gets the mode that the umask leaves, and keeps the mode and owner that it has', async () => {
    const at = folder();
    const before = process.umask(0o027);
    await write(join(at, 'new'));
    process.umask(before);
    expect(statSync(join(at, 'new')).mode & 0o7777).toBe(0o640);
    for (const mode of [0o600, 0o644, 0o666, 0o755, 0o2750]) {
      const path = join(at, String(mode));
      writeFileSync(path, 'old');
      if (isRoot) chownSync(path, 12345, 54321);
      chmodSync(path, mode);
      await write(path);
      const now = statSync(path);
      expect([now.mode & 0o7777, readFileSync(path, 'utf8')]).toEqual([mode, 'new content']);
      if (isRoot) expect([now.uid, now.gid]).toEqual([12345, 54321]);
    }
    expect(readdirSync(at)).toHaveLength(6);
  });

  test.each(['to a file', 'to nothing', 'in a chain', 'relative, in a folder reached through a link'])(
    'a link %s stays',
    async (kind) => {
      const at = folder();
      mkdirSync(join(at, 'real/deep'), { recursive: true });
      symlinkSync('real/deep', join(at, 'short'));
      const target = join(at, 'real', 'target');
      if (kind !== 'to nothing') writeFileSync(target, 'old', { mode: 0o600 });
      const link = join(at, 'short', 'link');
      symlinkSync(kind === 'in a chain' ? join(at, 'second') : '../target', link);
      if (kind === 'in a chain') symlinkSync('short/../target', join(at, 'second'));
      await write(link);
      expect(lstatSync(link).isSymbolicLink()).toBe(true);
      expect(readFileSync(target, 'utf8')).toBe('new content');
      expect(readdirSync(join(at, 'real')).sort()).toEqual(['deep', 'target']);
    },
  );

  test.each([1, 217, 218, 219, 250, 255])('may have a name of %i bytes', async (length) => {
    const at = folder();
    await write(join(at, 'n'.repeat(length)));
    await write(join(at, 'n'.repeat(length)));
    expect(readdirSync(at)).toEqual(['n'.repeat(length)]);
    if (length % 2 === 0) await write(join(at, 'é'.repeat(length / 2)));
  });

  test('stays as it was if writing fails, and nothing is left beside it', async () => {
    const at = folder();
    writeFileSync(join(at, 'a'), 'old');
    const failing = writeFileWhole(join(at, 'a'), async (append) => {
      await append(bytes);
      throw new Error('mine');
    });
    await expect(failing).rejects.toThrow('mine');
    expect([readdirSync(at), readFileSync(join(at, 'a'), 'utf8')]).toEqual([['a'], 'old']);
    mkdirSync(join(at, 'b'));
    symlinkSync('loop', join(at, 'loop'));
    for (const [path, code] of [
      ['b', 'EISDIR'],
      ['loop', 'ELOOP'],
      ['c/d', 'ENOENT'],
      ['a/d', 'ENOTDIR'],
      ['n'.repeat(256), 'ENAMETOOLONG'],
      ['e/', 'ENOTDIR'],
    ])
      await expect(write(`${at}/${path}`)).rejects.toMatchObject({ code });
    expect(readdirSync(at).sort()).toEqual(['a', 'b', 'loop']);
  });

  test('is not replaced where it is read-only', () => {
    const at = folder();
    writeFileSync(join(at, 'a'), 'old', { mode: 0o444 });
    chmodSync(dir, 0o755);
    chmodSync(at, 0o777);
    const script = `import { writeFileWhole } from ${source};
      writeFileWhole(${JSON.stringify(join(at, 'a'))}, (append) => append(Buffer.of(1))).catch(({ code }) => console.log(code));`;
    const own = isRoot ? { uid: 65534, gid: 65534 } : {};
    const { stdout } = spawnSync(process.execPath, [...tsx, '--input-type=module', '-e', script], {
      encoding: 'utf8',
      cwd: '/',
      ...own,
    });
    expect(stdout).toBe('EACCES\n');
    expect(readdirSync(at)).toEqual(['a']);
  });
});

describe('what is no file is written through', () => {
  test('a device', async () => {
    const at = folder();
    symlinkSync('/dev/null', join(at, 'null'));
    for (const path of ['/dev/null', join(at, 'null')]) await write(path);
    await expect(write('/dev/full')).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(readlinkSync(join(at, 'null'))).toBe('/dev/null');
    await saveSafetensors('/dev/null', { a: weight(Float32Array.of(1), [1]) });
  });

  test('a FIFO', async () => {
    const path = join(folder(), 'fifo');
    spawnSync('mkfifo', [path]);
    const reader = spawn('cat', [path]);
    let text = '';
    reader.stdout.on('data', (part) => {
      text += part;
    });
    const closed = new Promise((resolve) => reader.on('close', resolve));
    await write(path);
    await closed;
    expect(text).toBe('new content');
    expect(statSync(path).isFIFO()).toBe(true);
  });

  test('standard output, be it a pipe or a file', () => {
    const at = folder();
    const script = `import { writeFileWhole } from ${source};
      await writeFileWhole('/dev/stdout', (append) => append(Buffer.from('new')));`;
    writeFileSync(join(at, 'a.mjs'), script);
    const sh = (line: string) =>
      spawnSync('sh', ['-c', line, 'sh', process.execPath, join(at, 'a.mjs'), tsx[1]!], { encoding: 'utf8', cwd: at });
    expect(sh('"$1" --import "$3" "$2" | cat').stdout).toBe('new');
    const open = sh('exec 3> out; "$1" --import "$3" "$2" >&3; printf more > /proc/self/fd/3; cat out');
    expect([open.stdout, readdirSync(at).sort()]).toEqual(['more', ['a.mjs', 'out']]);
  });
});

describe('what a killed process left', () => {
  const left = (at: string) => readdirSync(at).filter((name) => name.endsWith('.tmp'));

  /** Starts writing a file in another process, and kills it. */
  async function killed(at: string) {
    const script = `import { writeFileWhole } from ${source};
      await writeFileWhole(process.argv[1], async (append) => { await append(Buffer.alloc(1e6)); console.log('half'); await new Promise((r) => setTimeout(r, 1e6)); });`;
    const child = spawn(process.execPath, [...tsx, '--input-type=module', '-e', script, join(at, 'big')]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const [name] = left(at);
    // While the other process writes, nothing of it is removed.
    await write(join(at, 'small'));
    expect(left(at)).toEqual([name]);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    expect(left(at)).toEqual([name]);
    return name!;
  }

  test('is removed by the next one that writes there', async () => {
    const at = folder();
    await killed(at);
    await saveSafetensors(join(at, 'other.safetensors'), { a: weight(Float32Array.of(1), [1]) });
    expect(readdirSync(at).sort()).toEqual(['other.safetensors', 'small']);
    using loaded = await loadWeights(join(at, 'other.safetensors'));
    expect(loaded.size).toBe(1);
  });

  test('on another machine is removed after a day', async () => {
    const at = folder();
    const name = (await killed(at)).replace(/tensorrt-[0-9a-f]{8}/, 'tensorrt-00000000');
    writeFileSync(join(at, name), '');
    await write(join(at, 'small'));
    expect(left(at)).toEqual([name]);
    const time = new Date(Date.now() - 90_000_000);
    utimesSync(join(at, name), time, time);
    await write(join(at, 'small'));
    expect(left(at)).toEqual([]);
  });

  test('is told by its name alone from what others keep', async () => {
    const at = folder();
    const others = [
      '.node-tensorrt-00000000-1-000000000000.tmpx',
      'node-tensorrt-00000000-1-000000000000.tmp',
      '.node-tensorrt-0-1-0.tmp',
    ];
    const time = new Date(0);
    for (const name of others) {
      writeFileSync(join(at, name), '');
      utimesSync(join(at, name), time, time);
    }
    await write(join(at, 'a'));
    expect(readdirSync(at).sort()).toEqual([...others, 'a'].sort());
  });
});
