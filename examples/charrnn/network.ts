import { float32, int32, type Network, network, type Tensor, type Weights } from 'node-tensorrt';

const unitsOf = (w: Weights): number => w.get('linear.weight').shape[1] as number;

/** Characters `ids` go in, the states of both layers go from run to run, the likeliest `topK` next characters come out. */
export function reader(w: Weights, topK: number): Network {
  const units = unitsOf(w);
  const net = network('charrnn');
  const ids = net.input('ids', int32('n'));
  const hidden = net.input('hidden', float32(2, units));
  const cell = net.input('cell', float32(2, units));
  const read = ids.embedding(w.layer('embedding')).lstm({ ...w.layer('lstm'), hidden, cell });
  const logits = read.hidden.select(0, 1).linear(w.layer('linear')).output('logits');
  const [best, next] = logits.topk(topK);
  best.output('best');
  next.output('next.ids');
  read.hidden.output('next.hidden');
  read.cell.output('next.cell');
  return net;
}

/**
 * One character, without a loop, so that a CUDA graph can replay it. `next.X` is the input X of the step after. The character that was
 * read goes to place `slot` of `written`, which has room for `places` and begins anew when it is full.
 */
export function stepper(w: Weights, places: number): Network {
  const units = unitsOf(w);
  const net = network('charrnn-step');
  const ids = net.input('ids', int32(1));
  const hidden = net.input('hidden', float32(2, units));
  const cell = net.input('cell', float32(2, units));
  const slot = net.input('slot', int32(1));
  const written = net.input('written', int32(places));
  const part = (what: string, layer: number) => w.get(`lstm.${what}_l${layer}`);
  let x = ids.embedding(w.layer('embedding'));
  const states = [0, 1].map((layer) => {
    const [h, c] = [hidden, cell].map((state) => state.narrow(0, layer, 1)) as [Tensor, Tensor];
    const fromInput = x.linear({ weight: part('weight_ih', layer), bias: part('bias_ih', layer) });
    const fromState = h.linear({ weight: part('weight_hh', layer), bias: part('bias_hh', layer) });
    const [i, f, g, o] = fromInput.add(fromState).split(units, { axis: -1 }) as [Tensor, Tensor, Tensor, Tensor];
    const next = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    x = o.sigmoid().mul(next.tanh());
    return { hidden: x, cell: next };
  }) as [{ hidden: Tensor; cell: Tensor }, { hidden: Tensor; cell: Tensor }];
  const [, next] = x.linear(w.layer('linear')).topk(1);
  const numbers = net.constant(Int32Array.from({ length: places }, (_, i) => i));
  next.reshape([1]).output('next.ids');
  states[0].hidden.concat(states[1].hidden).output('next.hidden');
  states[0].cell.concat(states[1].cell).output('next.cell');
  const after = slot.add(1);
  after.where(after.lt(places), 0).output('next.slot');
  ids.where(numbers.eq(slot), written).output('next.written');
  return net;
}
