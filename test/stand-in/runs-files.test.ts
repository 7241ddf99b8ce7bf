import { engineFiles } from '../runtime/files.js';
import { testOnStandIn } from './runs.js';

testOnStandIn('engine files', engineFiles);
