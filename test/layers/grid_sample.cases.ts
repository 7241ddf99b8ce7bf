import type { GridSampleOptions } from '../../src/layers/kinds/grid_sample.js';
import type { LayerCase } from './harness.js';

export const cases: LayerCase[] = [
  ...(['bilinear', 'nearest', 'bicubic'] as const).flatMap((mode) =>
    (['zeros', 'border', 'reflection'] as const).flatMap((paddingMode) =>
      [false, true].map(
        (alignCorners): LayerCase => ({
          name: `${mode}_${paddingMode}${alignCorners ? '_corners' : ''}`,
          build: ({ x, grid }) => x!.gridSample(grid!, { mode, paddingMode, alignCorners } satisfies GridSampleOptions),
          ...(paddingMode === 'zeros' && { dynamic: { x: ['n', 3, 'h', 'w'], grid: ['n', 'y', 'x', 2] } }),
        }),
      ),
    ),
  ),
  ...['empty_batch', 'empty_grid'].map((name): LayerCase => ({ name, build: ({ x, grid }) => x!.gridSample(grid!) })),
  ...['float16', 'bfloat16'].map((name): LayerCase => ({ name, build: ({ x, grid }) => x!.gridSample(grid!) })),
];
