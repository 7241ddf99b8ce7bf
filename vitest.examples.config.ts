import { tiers } from './vitest.config.js';

/** `npm run test:examples` */
export default tiers.examples;
