import { createHash } from 'node:crypto';
import type { IRWeight } from '../../dsl/ir.js';
import { Pace } from '../../pace.js';
import { bytesOf, copyOfBytes } from '../../values/dtype.js';
import type { RefitPlan, RefitWeight } from './plan.js';

const slice = 2;
const chunk = 2 ** 22;

/** A weight that the lowering made, of a layer that this release composes of others. */
export interface LoweredConstant extends Pick<RefitWeight, 'name' | 'dtype' | 'shape'> {
  data: ArrayBuffer;
}

/** SHA-256 in hexadecimal, while other events happen. */
export async function digestOf(bytes: Uint8Array, pace = new Pace(slice, 1)): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += chunk) {
    hash.update(bytes.subarray(at, at + chunk));
    if (pace.due()) await pace.rest();
  }
  return hash.digest('hex');
}

/**
 * The plan with digests of what comes from files, and the elements of what does not. While TensorRT builds, this costs no time.
 * @param weights as they are built
 */
export async function complete(plan: RefitPlan, weights: readonly IRWeight[]): Promise<RefitPlan> {
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  const pace = new Pace(slice, 1);
  const rows: RefitWeight[] = [];
  for (const row of plan.weights) {
    const bytes = bytesOf(byName.get(row.name)!.data);
    if (row.recipe) rows.push({ ...row, sha256: await digestOf(bytes, pace) });
    else rows.push({ ...row, elements: copyOfBytes(bytes) });
    if (pace.due()) await pace.rest();
  }
  return { ...plan, weights: rows };
}

/** The plan with weights that only the lowering knows. */
export const withLowered = (plan: RefitPlan, made: readonly LoweredConstant[] = []): RefitPlan => ({
  ...plan,
  weights: [
    ...plan.weights,
    ...made.map(({ name, dtype, shape, data }) => ({ name, dtype, shape, elements: new Uint8Array(data) })),
  ],
});
