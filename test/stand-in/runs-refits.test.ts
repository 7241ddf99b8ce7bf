import { refits } from '../runtime/refits.js';
import { testOnStandIn } from './runs.js';

testOnStandIn('refits', refits);
