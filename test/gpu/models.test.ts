import { expect } from 'vitest';
import { diffusion, ports, testModels, tolerance } from '../examples/models.js';
import { describeGpu, reportFigure } from './support.js';

// TensorRT times every kernel it might take from level 2 on, which takes minutes for the 300 convolutions of hrnet.
const optimizationLevel = 1;

const models = (full: boolean) => () =>
  testModels(
    ({ backend, model, precision, maxRelative }) => {
      reportFigure(`${model} in ${precision}`, maxRelative, tolerance[precision]);
      expect(backend).toBe('tensorrt');
    },
    { optimizationLevel, full },
    full ? ports : [...ports, ...diffusion],
  );

describeGpu('ported models on a GPU', models(false), { suite: 'ported models, reduced size', files: ['examples'] });

// Where every `examples/NAME/reference.py --full` has written its files.
if (process.env.NODE_TENSORRT_FULL_MODELS === '1')
  describeGpu('full models on a GPU', models(true), { suite: 'ported models, full size', files: ['examples'] });
