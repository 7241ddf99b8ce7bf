import { expect, test, vi } from 'vitest';
import { cachedAttention } from '../../examples/plugins/cached-attention.js';
import { hardSwish } from '../../examples/plugins/hard-swish.js';
import { rmsNorm } from '../../examples/plugins/rms-norm.js';
import { roiAlign } from '../../examples/plugins/roi-align.js';
import { selectRows } from '../../examples/plugins/select-rows.js';
import { type AnyPlugin, type PluginTestOptions, testPlugin } from '../../src/index.js';

vi.mock('node-tensorrt', () => import('../../src/index.js'));

// Kernel, reference and layers of the examples against each other, at edges too. Without a GPU, NVRTC compiles the kernels of every case for
// three architectures. PyTorch's numbers are in plugins.test.ts.

const uniform = { shape: ['n'], range: [-1, 1] } as const;

const tested: [plugin: unknown, options: Omit<PluginTestOptions, 'print'>][] = [
  [hardSwish, { cases: [{ inputs: { x: ['n', 3] }, sizes: { n: 100 } }] }],
  [
    rmsNorm,
    {
      cases: [
        { inputs: { x: ['n', 'w'], residual: ['n', 'w'], weight: ['w'] }, sizes: { n: 3, w: 64 } },
        { inputs: { x: [2, 'n', 37], residual: [2, 'n', 37], weight: [37] }, sizes: { n: 3 } },
      ],
      // y reaches four times its root mean square; a step of float16 is 3.6e-3 of it there.
      tolerance: { float16: 4e-3 },
    },
  ],
  [
    roiAlign,
    {
      cases: [0, 2].map((samplingRatio) => ({
        inputs: {
          features: [2, 3, 'h', 11],
          rois: { shape: ['n', 4], range: [-8, 50] },
          // One image too many: those rois are 0.
          batch: { shape: ['n'], range: [0, 2] },
        },
        sizes: { n: 5, h: 9 },
        attributes: {
          pooledHeight: 3,
          pooledWidth: 2,
          spatialScale: 0.25,
          samplingRatio,
          aligned: samplingRatio === 0,
        },
      })),
    },
  ],
  [
    cachedAttention,
    {
      cases: [
        {
          inputs: {
            query: ['b', 2, 's'],
            key: ['b', 2, 's'],
            value: ['b', 2, 's'],
            keys: ['b', 2, 'c', 's'],
            values: ['b', 2, 'c', 's'],
            // One before and one behind the cache: NaN.
            position: { shape: ['b'], range: [-1, 7] },
          },
          sizes: { b: 6, s: 36, c: 7 },
        },
      ],
    },
  ],
  [
    selectRows,
    {
      cases: [-2, 0, 0.5].map((threshold) => ({
        inputs: { rows: ['n', 5], scores: uniform },
        sizes: { n: 300 },
        attributes: { threshold },
      })),
    },
  ],
];

test.each(tested.map(([plugin, options]) => ({ plugin: plugin as AnyPlugin, options })))(
  '$plugin.name',
  { timeout: 300_000 },
  async ({ plugin, options }) => {
    const report = await testPlugin(plugin, { ...options, print: false });
    expect(report.failed).toBe(0);
    const compiled = report.checks.filter(({ what }) => what.startsWith('NVRTC'));
    const runs = report.cases.some(({ checks }) => checks.some(({ what }) => what.startsWith('kernel')));
    if (!runs) expect(compiled.length, JSON.stringify(report.skipped)).toBeGreaterThan(0);
    expect(compiled.every(({ passed }) => passed)).toBe(true);
  },
);
