import { ordering } from '../runtime/ordering.js';
import { testOnStandIn } from './runs.js';

testOnStandIn('ordering', ordering);
