import type { NativePlugin } from '../plugin/binding.js';

/** One launch of a plugin's kernels. */
export interface Launch {
  plugin: NativePlugin;
  inputs: { shape: number[]; data: Uint8Array }[];
  tactic: number;
}

/** What the child process gets. */
export interface LaunchJob {
  device: number;
  launches: readonly Launch[];
}

/** What it says, one a line. */
export type ChildMessage = { launching: number } | { failed: string } | { ended: true; tensorrt: string[] };

/** In front of its lines: Node and the driver write to the standard error too. */
export const childMark = 'node-tensorrt: ';
