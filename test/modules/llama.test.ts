import { testLayer } from '../layers/harness.js';
import { cases } from './llama.cases.js';

testLayer('llama', cases, 'modules');
