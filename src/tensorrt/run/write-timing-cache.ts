import { show, TensorRTError } from '../../errors/error.js';
import { reasonOf, writeFileWhole } from '../../write-file.js';

/** Writes a timing cache. @throws ERR_SAVE */
export async function writeTimingCache(path: string, bytes: Uint8Array): Promise<void> {
  if (typeof path !== 'string' || path === '') {
    throw new TensorRTError('ERR_SAVE', `saveTimingCache: expected a path, given ${show(path)}`);
  }
  try {
    await writeFileWhole(path, (append) => append(bytes));
  } catch (cause) {
    throw new TensorRTError('ERR_SAVE', `could not write the timing cache to ${path}: ${reasonOf(cause)}`, { cause });
  }
}
