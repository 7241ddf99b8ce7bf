/** Restores the terminal: set while something is drawn that changes. */
let restore: (() => void) | undefined;

/** @param end takes what is drawn off the terminal, and shows its cursor */
export function beginLive(end: () => void): void {
  restore = end;
}

/** Before anything else is written, and at the end. */
export function endLive(): void {
  const end = restore;
  restore = undefined;
  end?.();
}
