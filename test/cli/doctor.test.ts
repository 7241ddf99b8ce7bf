import { cpSync, existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DoctorReport } from '../../src/doctor.js';
import { realNvrtc } from '../plugin/nvrtc-here.js';
import { node, root, tinyCheckout } from '../setup/checkout.js';
import { compileLibrary, fakeTensorRT, temporaryFolder } from '../setup/fake-library.js';

const dir = temporaryFolder();
const cli = (env: NodeJS.ProcessEnv, ...args: string[]) =>
  node(root, [join(root, 'dist/cli/main.js'), ...args], {
    NODE_TENSORRT_CACHE: join(dir, 'none'),
    ...env,
  });

/** The only line of stdout, as JSON. */
function json(text: string): DoctorReport {
  expect(text.trimEnd().split('\n')).toHaveLength(1);
  return JSON.parse(text);
}

describe('doctor', () => {
  const tensorrt = join(dir, 'tensorrt');
  beforeAll(() => {
    fakeTensorRT(join(tensorrt, 'lib/libnvinfer.so.10'), 100800);
    fakeTensorRT(join(tensorrt, 'lib/libtensorrt_rtx.so.1'), 10701);
  });

  test('--json prints one object with everything it found', () => {
    const { status, stdout, stderr } = cli({ TENSORRT_ROOT: tensorrt }, 'doctor', '--json');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const report = json(stdout);
    expect(report.node).toBe(process.versions.node);
    expect(report.addon).toMatchObject({ compiled: true, error: null });
    expect(existsSync(report.addon.path!)).toBe(true);
    expect(report.onnxruntime.version).toMatch(/^\d+\.\d+\.\d+$/);
    const here = report.tensorrt.filter((one) => one.path.startsWith(tensorrt));
    expect(here).toHaveLength(2);
    expect(here.find((one) => one.version === '10.8.0')).toMatchObject({ flavor: null, refused: expect.any(String) });
    expect(here.find((one) => one.flavor === 'rtx1')).toMatchObject({ version: '1.7.1', usableFor: { build: true } });
    expect(report.works).toMatchObject({ build: true, cpu: true });
    // Each GPU has what the driver says of it; without one, doctor says how to get there.
    for (const gpu of report.gpus) expect(gpu.computeCapability).toMatch(/^\d+\.\d+$/);
    if (report.gpus.length === 0) expect(report.missing.map((one) => one.what)).toContain('a GPU with a driver');
    for (const { what, why, fix } of report.missing) for (const text of [what, why, fix]) expect(text).not.toBe('');
  });

  test('prints the same as a table', () => {
    const { status, stdout } = cli({ TENSORRT_ROOT: tensorrt }, 'doctor');
    expect(status).toBe(0);
    for (const text of [
      join(tensorrt, 'lib/libtensorrt_rtx.so.1'),
      '1.7.1',
      'rtx1',
      'refused: ',
      '10.8.0',
      'onnxruntime',
      'driver',
      'GPU',
      'NVRTC',
    ])
      expect(stdout).toContain(text);
  });

  test('names what gets a TensorRT where there is none that can build', () => {
    const refusedOnly = join(dir, 'refused-only');
    fakeTensorRT(join(refusedOnly, 'libnvinfer.so.10'), 100800);
    const report = json(cli({ TENSORRT_ROOT: refusedOnly, LD_LIBRARY_PATH: '' }, 'doctor', '--json').stdout);
    const lack = report.missing.find((one) => one.what === 'a TensorRT that builds engines');
    // A machine may have a TensorRT of its own.
    if (report.works.build) expect(lack).toBeUndefined();
    else expect(lack).toMatchObject({ fix: 'npx node-tensorrt install', why: expect.stringContaining('10.8') });
  });

  test('without the addon the CPU backend works alone; the line that compiles it is there', () => {
    const bare = join(dir, 'bare');
    for (const name of ['package.json', 'src', 'scripts'])
      cpSync(join(root, name), join(bare, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(bare, 'node_modules'));
    const { status, stdout } = node(bare, ['--import', 'tsx', 'src/cli/main.ts', 'doctor', '--json']);
    expect(status).toBe(0);
    const report = json(stdout);
    expect(report.addon).toMatchObject({ compiled: false, path: null, error: expect.stringContaining('not compiled') });
    expect(Object.values(report.works)).toEqual([false, false, false, true]);
    expect(report.missing).toContainEqual(expect.objectContaining({ what: 'the addon', fix: 'npm run build' }));
  });

  test('shows the NVRTC it found with its headers, and why one cannot be used', async () => {
    const { path, version, include } = await realNvrtc();
    const found = json(cli({ NODE_TENSORRT_NVRTC: path }, 'doctor', '--json').stdout);
    expect(found.nvrtc[0]).toEqual({ path, version, source: 'environment', include });
    expect(cli({ NODE_TENSORRT_NVRTC: path }, 'doctor').stdout).toContain(
      `NVRTC        ${path} (${version}), headers in ${include}`,
    );
    const wrong = compileLibrary(join(dir, 'nvrtc/libnvrtc.so.13'), 'int f;');
    const refused = json(cli({ NODE_TENSORRT_NVRTC: wrong }, 'doctor', '--json').stdout);
    expect(refused.nvrtc[0]).toMatchObject({ path: wrong, refused: expect.stringContaining('nvrtcVersion') });
  });

  test('without onnxruntime says how to get it', () => {
    const bare = join(dir, 'no-onnxruntime');
    for (const name of ['package.json', 'src', 'scripts', 'build/Release'])
      cpSync(join(root, name), join(bare, name), { recursive: true });
    for (const name of ['tsx', 'esbuild', 'commander', 'cli-table3', 'picocolors', 'string-width', 'get-tsconfig'])
      if (existsSync(join(root, 'node_modules', name)))
        cpSync(join(root, 'node_modules', name), join(bare, 'node_modules', name), { recursive: true });
    for (const name of ['emoji-regex', 'is-fullwidth-code-point', 'strip-ansi', 'ansi-regex', '@esbuild'])
      symlinkSync(join(root, 'node_modules', name), join(bare, 'node_modules', name));
    const { stdout } = node(bare, ['--import', 'tsx', 'src/cli/main.ts', 'doctor', '--json']);
    const report = json(stdout);
    expect(report.onnxruntime).toEqual({ version: null, error: 'not installed' });
    expect(report.missing).toContainEqual(
      expect.objectContaining({ fix: expect.stringContaining('npm install onnxruntime-node') }),
    );
  });
});

describe('the command', () => {
  test('lists its commands, and its version', () => {
    const { status, stdout } = cli({}, '--help');
    expect(status).toBe(0);
    for (const name of ['doctor', 'install', 'weights']) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    expect(cli({}, '--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([[['frobnicate']], [['doctor', '--frobnicate']], [['install', 'surplus']]])(
    '%j is an error that names the help',
    (args) => {
      const { status, stderr } = cli({}, ...args);
      expect(status).toBe(2);
      expect(stderr).toMatch(/^error: .+\n?.*node-tensorrt (\w+ )?--help/);
      expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
    },
  );

  test('install says in one message what is missing, without a stack', () => {
    const bare = tinyCheckout(join(dir, 'bare-install'));
    cpSync(join(root, 'src'), join(bare, 'src'), { recursive: true });
    const { status, stdout, stderr } = node(bare, ['--import', 'tsx', 'src/cli/main.ts', 'install', '--from-source'], {
      PATH: '/nonexistent',
    });
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/error: missing here:\n {2}a C\+\+ compiler.*apt-get install -y g\+\+/);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});
