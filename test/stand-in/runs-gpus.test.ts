import { gpus } from '../runtime/gpus.js';
import { testOnStandIn } from './runs.js';

testOnStandIn('gpus', gpus);
