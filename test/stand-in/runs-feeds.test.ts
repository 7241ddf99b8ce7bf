import { feeds } from '../runtime/feeds.js';
import { testOnStandIn } from './runs.js';

testOnStandIn('feeds and outputs', feeds);
