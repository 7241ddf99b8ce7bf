import { tiers } from './vitest.config.js';

/** Whatever file is named, but for those that need a GPU. */
export default tiers.all;
