import { cases } from './dequantize.cases.js';
import { testLayer } from './harness.js';

testLayer('dequantize', cases);
