import { expect } from 'vitest';
import { testModels } from '../examples/models.js';
import { describeGpu } from './support.js';

describeGpu('ported models on a GPU', () => {
  // TensorRT times every kernel it might take from level 2 on, which takes minutes for the 300 convolutions of hrnet.
  testModels((report) => expect(report.backend).toBe('tensorrt'), { optimizationLevel: 1 });
});
