import test from 'node:test';
import { testPlugin } from '../../../src/index.js';
import { options, right, wrong } from './plugins.js';

test('right', async () => {
  await testPlugin(right, options);
});

test('wrong', async () => {
  await testPlugin(wrong, options);
});
