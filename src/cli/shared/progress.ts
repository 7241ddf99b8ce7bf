import { MultiBar, type SingleBar } from 'cli-progress';
import type { BuildProgress } from '../../tensorrt/compile/options.js';
import { beginLive, endLive } from './live.js';
import { errorColors, escapeForTerminal } from './output.js';

/** What a build shows while it goes on. */
export interface BuildBars extends Disposable {
  /** For `onProgress`; undefined where standard error is no terminal: then nothing is drawn. */
  readonly onProgress: ((progress: BuildProgress) => void) | undefined;
}

interface Phase {
  bar: SingleBar;
  name: string;
  depth: number;
  began: number;
}

const barWidth = 20;

/** `1m07s` */
export function elapsedText(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const minutes = Math.floor(seconds / 60);
  return `${minutes}m${String(Math.floor(seconds % 60)).padStart(2, '0')}s`;
}

/** One line, no wider than the terminal. */
export function barText(
  phase: Omit<Phase, 'bar'>,
  step: number,
  steps: number,
  columns: number,
  now = Date.now(),
): string {
  const part = steps > 0 ? Math.min(1, step / steps) : 0;
  const full = Math.round(part * barWidth);
  const end = ` ${'█'.repeat(full)}${'░'.repeat(barWidth - full)} ${step}/${steps} ${elapsedText(now - phase.began)}`;
  const name = `${'  '.repeat(phase.depth)}${escapeForTerminal(phase.name)}`;
  const room = Math.max(8, columns - end.length - 1);
  const shown = name.length > room ? `${name.slice(0, room - 1)}…` : name.padEnd(Math.min(room, 44));
  return `${shown}${end}`.slice(0, Math.max(1, columns - 1));
}

/** Nested bars with the time that has passed, on standard error. */
export function buildBars(stream: NodeJS.WriteStream = process.stderr): BuildBars {
  if (!stream.isTTY) return { onProgress: undefined, [Symbol.dispose]() {} };
  const bars = new MultiBar({
    stream,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
    linewrap: true,
    fps: 10,
    format: (_, { value, total }, { phase }: { phase: Phase }) =>
      errorColors.cyan(barText(phase, value, total, stream.columns ?? 80)),
  });
  const phases: Phase[] = [];
  let isLive = true;
  beginLive(() => {
    isLive = false;
    bars.stop();
  });
  return {
    onProgress({ phase: name, parent, event, step, steps }) {
      if (!isLive) return;
      const known = phases.findLast((one) => one.name === name);
      if (event === 'start') {
        const outer = phases.findLast((one) => one.name === parent);
        const phase = { name, depth: outer ? outer.depth + 1 : 0, began: Date.now() } as Phase;
        phase.bar = bars.create(steps, 0, { phase });
        phases.push(phase);
      } else if (known && event === 'step') known.bar.update(step);
      else if (known) {
        known.bar.update(step);
        bars.remove(known.bar);
        phases.splice(phases.indexOf(known), 1);
      }
    },
    [Symbol.dispose]() {
      endLive();
    },
  };
}

/** A bar of what takes a known time; nothing where standard error is no terminal. */
export function waitBar(name: string, milliseconds: number, stream: NodeJS.WriteStream = process.stderr): Disposable {
  if (!stream.isTTY) return { [Symbol.dispose]() {} };
  const bars = buildBars(stream);
  const steps = Math.max(1, Math.round(milliseconds / 100));
  bars.onProgress?.({ phase: name, event: 'start', step: 0, steps });
  let step = 0;
  const timer = setInterval(() => {
    step = Math.min(steps, step + 1);
    bars.onProgress?.({ phase: name, event: 'step', step, steps });
  }, 100);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      bars[Symbol.dispose]();
    },
  };
}
