import { errors } from '../runtime/errors.js';
import { testOnStandIn } from './runs.js';

testOnStandIn('errors', errors);
