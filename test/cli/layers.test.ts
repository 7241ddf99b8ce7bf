import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type LayerSummary, layerList } from '../../src/cli/layer-list.js';
import { moduleList } from '../../src/cli/module-list.generated.js';
import { node, root } from '../setup/checkout.js';

const cli = (...args: string[]) => node(root, [join(root, 'dist/cli/main.js'), 'layers', ...args]);

test('--json prints one line: every kind by name, with the facts of TensorRT’s headers', () => {
  const { status, stdout, stderr } = cli('--json');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  const rows: LayerSummary[] = JSON.parse(stdout);
  expect(rows).toEqual(layerList());
  for (const row of rows) {
    expect(Object.keys(row)).toEqual(['kind', 'methods', 'trt10', 'trt11', 'rtx1', 'cpu', 'decomposed']);
  }
  expect(rows.map(({ kind }) => kind)).toEqual(rows.map(({ kind }) => kind).sort());
  const by = new Map(rows.map((row) => [row.kind, row]));
  const everywhere = {
    trt10: '10.0.0',
    trt11: '11.0.0',
    rtx1: '1.5.0',
    cpu: true,
    decomposed: false,
  };
  expect(by.get('convolution')).toEqual({
    kind: 'convolution',
    methods: expect.arrayContaining(['conv2d', 'conv3d']),
    ...everywhere,
  });
  expect(by.get('concatenation')).toMatchObject({ methods: expect.arrayContaining(['concat']), ...everywhere });
  expect(by.get('loop')).toEqual({ kind: 'loop', methods: ['loop'], ...everywhere });
  expect(rows.filter(({ cpu }) => cpu !== true).map(({ kind, cpu }) => `${kind}: ${cpu}`)).toEqual([
    'assertion: not within loops and conditionals',
    'dist_collective: passes its input on, as one rank',
    'fill: with other random numbers',
    'plugin: by its reference',
  ]);
  // INetworkDefinition has addSqueeze since 10.7, addCumulative since 10.9 and addNormalizationV2 since 10.15.
  expect(by.get('squeeze')).toMatchObject({ trt10: '10.7.0', trt11: '11.0.0', decomposed: { trt10: '<10.7.0' } });
  expect(by.get('cumulative')).toMatchObject({ trt10: '10.9.0', rtx1: '1.5.0', decomposed: { trt10: '<10.9.0' } });
  // TensorRT-RTX declares these, and implements none of them.
  for (const kind of ['moe', 'nms', 'non_zero']) expect(by.get(kind)).toMatchObject({ rtx1: null, cpu: true });
  // It declares no addPluginV3 and no addPluginV2.
  expect(by.get('plugin')).toMatchObject({ trt10: '10.0.0', trt11: '11.0.0', rtx1: null });
  expect(rows.filter(({ rtx1 }) => rtx1 === null)).toHaveLength(4);
  expect(by.get('normalization')).toMatchObject({ trt10: '10.0.0', decomposed: { trt10: '<10.15.0' } });
});

test('without --json it prints a table', () => {
  const { status, stdout } = cli();
  expect(status).toBe(0);
  for (const { kind } of layerList()) expect(stdout).toMatch(new RegExp(`│ ${kind} +│`));
  expect(stdout).toMatch(/│ squeeze +│ squeeze +│ 10\.7\.0 +│ 11\.0\.0 +│ 1\.5\.0 +│ yes +│ trt10 <10\.7\.0 +│/);
});

test('modules follow in the table, and are a list of their own with --modules', () => {
  const { stdout } = cli();
  const alone = cli('--modules').stdout;
  const json: unknown = JSON.parse(cli('--modules', '--json').stdout);
  expect(json).toEqual(moduleList);
  expect(json).toContainEqual({ method: 'relu6', about: '`min(max(x, 0), 6)`, of floats.', kinds: ['activation'] });
  for (const text of [stdout, alone])
    expect(text).toMatch(/│ relu6 +│ `min\(max\(x, 0\), 6\)`, of floats\. +│ activation +│/);
  expect(alone).not.toContain('10.0.0');
  for (const { method } of moduleList) expect(stdout).toContain(`│ ${method} `);
});
