import type { Network } from '../../dsl/network.js';
import type { Tensor } from '../../dsl/tensor.js';

const computed = new WeakMap<Network, Map<string, Tensor>>();

/** The tensor that was made under this key, if layers may use it here; else a new one. */
export function remember(net: Network, key: string, make: () => Tensor): Tensor {
  const map = computed.get(net) ?? new Map<string, Tensor>();
  computed.set(net, map);
  const known = map.get(key);
  if (known && net.isOpen(known)) return known;
  const tensor = make();
  map.set(key, tensor);
  return tensor;
}
