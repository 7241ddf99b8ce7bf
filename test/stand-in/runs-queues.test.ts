import { queues } from '../runtime/queues.js';
import { testOnStandIn } from './runs.js';

testOnStandIn('queues', queues);
