import { type LayerDefinition, layerKinds } from '../../dsl/define-layer.js';
import type { LayerParams } from '../../dsl/ir.js';
import type { Network, Recording } from '../../dsl/network.js';
import type { Tensor } from '../../dsl/tensor.js';
import type { concatenation } from '../kinds/concatenation.js';
import type { constant } from '../kinds/constant.js';
import type { elementWise } from '../kinds/element_wise.js';
import type { gather } from '../kinds/gather.js';
import type { select } from '../kinds/select.js';
import type { shape } from '../kinds/shape.js';
import type { shuffle } from '../kinds/shuffle.js';
import type { slice } from '../kinds/slice.js';
import type { squeeze } from '../kinds/squeeze.js';
import type { unary } from '../kinds/unary.js';
import type { unsqueeze } from '../kinds/unsqueeze.js';

/** Kinds recorded by methods of other kinds. */
interface Kinds {
  concatenation: typeof concatenation;
  constant: typeof constant;
  element_wise: typeof elementWise;
  gather: typeof gather;
  select: typeof select;
  shape: typeof shape;
  shuffle: typeof shuffle;
  slice: typeof slice;
  squeeze: typeof squeeze;
  unary: typeof unary;
  unsqueeze: typeof unsqueeze;
}

type ParamsOf<K extends keyof Kinds> = Kinds[K] extends LayerDefinition<infer P> ? P : never;

/** Records a layer by the name of its kind and returns its first output. This way no kind's file imports another's. */
export const recordKind = <K extends keyof Kinds>(
  net: Network,
  kind: K,
  recording: Recording<LayerParams> & { params: ParamsOf<K> },
): Tensor => net.record(layerKinds.get(kind)!, recording)[0]!;
