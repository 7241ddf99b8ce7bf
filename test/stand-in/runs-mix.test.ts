import { mix } from '../runtime/mix.js';
import { testOnStandIn } from './runs.js';

testOnStandIn('mix', mix);
