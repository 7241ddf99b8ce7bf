import { memory } from '../runtime/memory.js';
import { testOnStandIn } from './runs.js';

testOnStandIn('memory', memory);
