import { leaks } from '../runtime/leaks.js';
import { testOnStandIn } from './runs.js';

testOnStandIn('leaks', leaks);
