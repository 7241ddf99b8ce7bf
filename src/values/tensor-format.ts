import { show } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';

/** Memory layouts of TensorRT's, by enumerator. `linear` is row-major; the number says how many channels lie together, the last ones padded. */
const formats = [
  'linear',
  'chw2',
  'hwc8',
  'chw4',
  'chw16',
  'chw32',
  'dhwc8',
  'cdhw32',
  'hwc',
  'hwc16',
  'dhwc',
] as const;
/** The layout of a tensor in memory. @useDeclaredType */
export type TensorFormat = (typeof formats)[number];

/** The layout of an input or output. */
export interface FormatOptions {
  /**
   * The memory layout, or those that TensorRT may choose from: TensorRT's TensorFormat in lower case, without `k`. Default `linear`. Which
   * dtypes and ranks a layout takes, TensorRT says when it builds. Engines with other layouts than `linear` are for other programs:
   * contexts of this package take linear tensors only. The CPU backend ignores it.
   */
  format?: TensorFormat | readonly TensorFormat[] | undefined;
}

/** The formats given; undefined for the default. @throws ERR_PARAMETER */
export function readFormats(given: unknown, method: string): readonly TensorFormat[] | undefined {
  if (given === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  const isKnown = (one: unknown): one is TensorFormat => formats.includes(one as TensorFormat);
  const odd = list.find((one) => !isKnown(one));
  if (list.length > 0 && odd === undefined && list.every(isKnown)) return [...new Set(list)];
  const dla = String(odd).startsWith('dla_') ? ": TensorRT's DLA is on devices that this package does not run on" : '';
  return refuse(
    method,
    'ERR_PARAMETER',
    `expected ${formats.join(', ')} or a list of them, given ${show(given)}${dla}`,
    {
      option: 'format',
      expected: formats,
      actual: given,
    },
  );
}
