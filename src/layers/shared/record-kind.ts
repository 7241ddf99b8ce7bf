import { type LayerDefinition, layerKinds } from '../../dsl/define-layer.js';
import type { LayerParams } from '../../dsl/ir.js';
import type { Network, Recording } from '../../dsl/network.js';
import type { Tensor } from '../../dsl/tensor.js';
import type { concatenation } from '../kinds/concatenation.js';
import type { constant } from '../kinds/constant.js';
import type { elementWise } from '../kinds/element_wise.js';
import type { gather } from '../kinds/gather.js';
import type { shape } from '../kinds/shape.js';
import type { shuffle } from '../kinds/shuffle.js';
import type { slice } from '../kinds/slice.js';
import type { squeeze } from '../kinds/squeeze.js';
import type { unary } from '../kinds/unary.js';
import type { unsqueeze } from '../kinds/unsqueeze.js';

/** Kinds that the methods of other kinds record. */
interface Kinds {
  concatenation: typeof concatenation;
  constant: typeof constant;
  element_wise: typeof elementWise;
  gather: typeof gather;
  shape: typeof shape;
  shuffle: typeof shuffle;
  slice: typeof slice;
  squeeze: typeof squeeze;
  unary: typeof unary;
  unsqueeze: typeof unsqueeze;
}

type ParamsOf<K extends keyof Kinds> = Kinds[K] extends LayerDefinition<infer P> ? P : never;

/** Records a layer of a kind by its name, so that no file of a kind imports another, and returns its first output. */
export const recordKind = <K extends keyof Kinds>(
  net: Network,
  kind: K,
  recording: Recording<LayerParams> & { params: ParamsOf<K> },
): Tensor => net.record(layerKinds.get(kind)!, recording)[0]!;
