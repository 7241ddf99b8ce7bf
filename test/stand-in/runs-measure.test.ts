import { measuring } from '../runtime/measure.js';
import { testOnStandIn } from './runs.js';

testOnStandIn('measuring', measuring);
