import { float16, float32, type Network } from '../../../src/index.js';
import { type PlanCases, ramp } from '../case.js';

const small = (net: Network) => {
  const x = net.input('x', float32(1, 2, 6, 6));
  x.conv2d({ weight: ramp([4, 2, 3, 3]) })
    .relu()
    .output('y');
};

/** Options that a plan shows. */
export const cases: PlanCases = {
  option_none: small,
  option_tf32: { record: small, options: { tf32: true } },
  option_no_tf32: { record: small, options: { tf32: false } },
  option_weight_streaming: { record: small, options: { weightStreaming: true } },
  option_no_weight_streaming: { record: small, options: { weightStreaming: false } },
  option_workspace: { record: small, options: { workspace: 1 << 28 } },
  option_workspace_more: { record: small, options: { workspace: 3 << 28 } },
  option_verbosity_none: { record: small, options: { profilingVerbosity: 'none' } },
  option_verbosity_names: { record: small, options: { profilingVerbosity: 'layer_names_only' } },
  option_verbosity_detailed: { record: small, options: { profilingVerbosity: 'detailed' } },
  option_capabilities: { record: small, options: { computeCapabilities: [75, 80, 86] } },
  option_capability_121: { record: small, options: { computeCapabilities: [121, 120] } },

  /** Two inputs share a dim; each profile has its own ranges. */
  profiles: {
    options: {
      profiles: [
        { batch: [1, 2, 4], width: 8 },
        { batch: [4, 16, 32], width: [8, 16, 24] },
      ],
    },
    record(net) {
      const a = net.input('a', float16('batch', 3, 'width'));
      const b = net.input('b', float16('batch', 1, 'width'));
      a.add(b).output('y');
    },
  },

  /** Without profiles, a dim goes from 1 to 64 and is optimized for 8. */
  profile_default(net) {
    net.input('x', float32('batch', 3)).tanh().output('y');
  },
};
