import { tiers } from './vitest.config.js';

/** `npm run test:processes` */
export default tiers.processes;
