import { scalePlugin } from '../plugins.js';

/** What the three runners test: a right plugin and a wrong one. */
export const right = scalePlugin();
export const wrong = scalePlugin({ decompose: 1.5 });
export const options = { cases: [{ inputs: { x: [4, 37] } }], edges: false } as const;
