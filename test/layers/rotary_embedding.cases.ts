import type { LayerCase } from './harness.js';

const options: Record<string, { interleaved?: boolean; rotaryDim?: number }> = {
  halves: {},
  interleaved: { interleaved: true },
  part: { rotaryDim: 4 },
  part_interleaved: { rotaryDim: 6, interleaved: true },
  positions: {},
  positions_int32: {},
  everything: { rotaryDim: 4, interleaved: true },
  one_token: {},
  f16: {},
  bf16: {},
  shared: {},
  shared_positions: { interleaved: true },
};

const dynamic: Record<string, LayerCase['dynamic']> = {
  halves: { x: ['b', 3, 'n', 8], cos: ['b', 'n', 4], sin: ['b', 'n', 4] },
  everything: { x: ['b', 3, 'n', 8], positions: ['b', 'n'] },
  shared: { x: ['b', 3, 'n', 8], cos: [1, 'n', 4], sin: [1, 'n', 4] },
  shared_positions: { x: ['b', 3, 'n', 8], positions: [1, 'n'] },
};

/** Turned twice. */
const looped: LayerCase = {
  name: 'in_loop',
  build: ({ x, cos, sin }) =>
    x!.network.loop({ count: 2, state: { x: x! } }, ({ x }) => ({
      state: { x: x.rotaryEmbedding({ cos: cos!, sin: sin!, interleaved: true }) },
    })).state.x,
};

const direct: LayerCase[] = Object.entries(options).map(([name, given]) => ({
  name,
  build: ({ x, cos, sin, positions }) =>
    x!.rotaryEmbedding({ ...given, cos: cos!, sin: sin!, ...(positions && { positions }) }),
  ...(dynamic[name] && { dynamic: dynamic[name] }),
}));

export const cases: LayerCase[] = [...direct, looped];
