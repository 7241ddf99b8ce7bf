import { binding } from '../binding.js';

const told = new Set<string>();

/** Tells a warning once in a process, as one of Node's. */
export function warnOnce(code: string, message: string): void {
  if (told.has(code)) return;
  told.add(code);
  process.emitWarning(message, { type: 'TensorRTWarning', code });
}

/** Tells if the system refused to page-lock memory. */
export function warnOfPageable(): void {
  if (told.has('NODE_TENSORRT_PAGEABLE')) return;
  const { refused } = binding().hostMemory();
  if (refused === undefined) return;
  warnOnce(
    'NODE_TENSORRT_PAGEABLE',
    `memory could not be page-locked (${refused}): runs work with ordinary memory, and copies to and from the GPU take longer`,
  );
}
