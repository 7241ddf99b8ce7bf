import { graphs } from '../runtime/graphs.js';
import { testOnStandIn } from './runs.js';

testOnStandIn('graphs', graphs);
