import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PluginCreator } from '../../src/index.js';
import { foreignLibraries } from '../plugin/foreign/libraries.js';
import { node, root } from '../setup/checkout.js';
import { temporaryFolder } from '../setup/fake-library.js';

const libraries = foreignLibraries(temporaryFolder());
const run = (...args: string[]) => node(root, [join(root, 'dist/cli/main.js'), 'plugins', ...args]);
const ls = (...args: string[]) => run('ls', '--tensorrt', libraries.tensorrt, ...args);

test('ls shows name, version, namespace, interface and fields', () => {
  const { status, stdout, stderr } = ls('--library', libraries.plugins);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const row = (name: string) => stdout.split('\n').find((line) => line.includes(`${name} `))!;
  expect(
    row('Spaced')
      .split('│')
      .slice(2, 5)
      .map((cell) => cell.trim()),
  ).toEqual(['1', 'acme', 'V3']);
  expect(row('Spaced')).toContain('factor: float32, flag: int32, variance: float32[4]');
  expect(
    row('OldStatic')
      .split('│')
      .slice(2, 6)
      .map((cell) => cell.trim()),
  ).toEqual(['1', '', 'V1', '']);
});

test('ls --json prints one line, by name and version', () => {
  const { status, stdout } = ls('--json');
  expect(status).toBe(0);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  const creators: PluginCreator[] = JSON.parse(stdout);
  expect(creators.map(({ name, version, namespace }) => [name, version, namespace])).toEqual([
    ['ROIAlign_TRT', '1', ''],
    ['ROIAlign_TRT', '2', ''],
  ]);
  expect(creators[0]!.fields[2]).toEqual({ name: 'variance', type: 'float32', length: 4 });
});

test('a file that is no plugin library is an error', () => {
  const { status, stdout, stderr } = ls('--library', libraries.empty);
  expect(stdout).toBe('');
  expect(stderr).toContain('expected a plugin library');
  expect(status).toBe(1);
});

/** TensorRT 10.6 from Maven, where it was unpacked; see docs/plugins.md. */
const real = process.env.NODE_TENSORRT_10 ?? '/tmp/trt106/libnvinfer.so.10';

test("TensorRT 10.6's own creators and those of NVIDIA's library, without a GPU", ({ skip }) => {
  if (!existsSync(real)) skip(`there is no ${real}; NODE_TENSORRT_10 can name one`);
  const { status, stdout, stderr } = run('ls', '--tensorrt', real, '--json');
  expect(stderr.includes('error:')).toBe(false);
  expect(status).toBe(0);
  const creators: PluginCreator[] = JSON.parse(stdout);
  const field = (name: string, type: string) => ({ name, type, length: 1 });
  expect(creators).toContainEqual({
    name: 'ROIAlign_TRT',
    version: '2',
    namespace: '',
    interface: 'V3',
    fields: [
      field('coordinate_transformation_mode', 'int32'),
      field('mode', 'int32'),
      field('output_height', 'int32'),
      field('output_width', 'int32'),
      field('sampling_ratio', 'int32'),
      field('spatial_scale', 'float32'),
    ],
  });
  const attention = {
    name: 'MultiscaleDeformableAttnPlugin_TRT',
    version: '1',
    namespace: '',
    interface: 'V1',
    fields: [],
  };
  expect(creators).toContainEqual(attention);
  expect(creators.length).toBeGreaterThanOrEqual(87);
});
