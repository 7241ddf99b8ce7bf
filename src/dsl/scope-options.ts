import { readArguments } from '../errors/boundary.js';
import { show } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';

/** Options of a network, or of a scope within it. */
export interface ScopeOptions {
  /**
   * The default of `useFp32Acc` for `matmul`, `mm`, `bmm`, `linear` and what is made of them, such as `lstm`: whether products of
   * float16 are summed in float32. Default: that of the scope around this one, false for a network.
   */
  useFp32Acc?: boolean | undefined;
}

/** @throws ERR_INPUT, ERR_PARAMETER */
export function accumulation(options: ScopeOptions, method: string): boolean | undefined {
  const given = readArguments(method, [options], () => ({ ...options }));
  const isRecord = typeof options === 'object' && options !== null && !Array.isArray(options);
  if (!isRecord) refuse(method, 'ERR_PARAMETER', `expected options such as { useFp32Acc }, given ${show(options)}`);
  for (const key of Object.keys(given)) {
    if (key !== 'useFp32Acc') refuse(method, 'ERR_PARAMETER', `unknown option ${show(key)}; expected useFp32Acc`);
  }
  const { useFp32Acc } = given;
  if (useFp32Acc !== undefined && typeof useFp32Acc !== 'boolean') {
    refuse(method, 'ERR_PARAMETER', `useFp32Acc: expected true or false, given ${show(useFp32Acc)}`);
  }
  return useFp32Acc;
}
