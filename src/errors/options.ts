import { suggestion } from './nearest.js';
import { refuse } from './refusal.js';
import { show } from './wording.js';

/** Refuses what is no object of options, and unknown ones. @throws ERR_PARAMETER, with the nearest name */
export function checkOptions(given: unknown, known: readonly string[], method: string): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    refuse(method, 'ERR_PARAMETER', `expected options, given ${show(given)}`, { actual: given });
  }
  for (const odd of Object.keys(given)) {
    if (known.includes(odd)) continue;
    const there = `there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}${suggestion(odd, known)}`;
    refuse(method, 'ERR_PARAMETER', `there is no option '${odd}'; ${there}`, { expected: known, actual: odd });
  }
}
