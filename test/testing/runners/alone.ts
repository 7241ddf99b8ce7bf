import { testPlugin } from '../../../src/index.js';
import { options, right, wrong } from './plugins.js';

await testPlugin(right, options);
console.log('the right one passed');
await testPlugin(wrong, options);
