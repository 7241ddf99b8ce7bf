import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';
import { binding } from '../binding.js';

// As they are now: tests of users put false clocks in their place.
const now = performance.now.bind(performance);

/** Longest that the event loop stays awake for a run that it was told of, or that was begun, in ms. */
const most = 3;
/** Runs that end within so many ms are worth it from their call on. */
const soon = 0.2;

let until = 0;
let turns = false;
let spins: boolean | undefined;

/** The event loop does not sleep for so many milliseconds: waking takes a good part of one. Other events happen as ever. */
function stayAwake(ms: number): void {
  until = Math.max(until, now() + Math.min(ms, most));
  if (turns) return;
  turns = true;
  setImmediate(turn);
}

function turn(): void {
  turns = now() < until;
  if (turns) setImmediate(turn);
}

/** How long the runs of a context usually take, so that the loop is awake when the next one ends. */
export class Waits {
  #usual = Number.POSITIVE_INFINITY;

  /** @returns when it began, for `end` */
  begin(): number {
    // The addon wakes the loop shortly before the end of what takes longer.
    spins ??= binding().stayAwakeBy((within) => stayAwake(1.5 * within + 0.1));
    if (!spins) return 0;
    if (this.#usual < soon) stayAwake(soon);
    return now();
  }

  end(began: number): void {
    if (!spins) return;
    const took = now() - began;
    this.#usual = this.#usual < soon ? (3 * this.#usual + took) / 4 : took;
  }
}
