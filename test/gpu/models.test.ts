import { expect } from 'vitest';
import { testModels } from '../examples/models.js';
import { describeGpu } from './support.js';

describeGpu('ported models on a GPU', () => {
  testModels((report) => expect(report.backend).toBe('tensorrt'));
});
