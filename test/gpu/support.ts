import { describe } from 'vitest';
import { findTensorRT } from '../../src/runtime/find.js';

/** Whether engines run on this machine. */
export const hasGpu = (await findTensorRT()).some((one) => one.usableFor.run);

/** `describe` for what needs a GPU: skipped, hooks and all, where there is none. */
export const describeGpu = describe.skipIf(!hasGpu);
