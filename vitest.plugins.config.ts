import { tiers } from './vitest.config.js';

/** `npm run test:plugins` */
export default tiers.plugins;
