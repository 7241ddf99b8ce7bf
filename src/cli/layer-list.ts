import { layerTable } from '../layers/table.js';
import { binding, type FirstReleases, type Flavor } from '../tensorrt/binding.js';

/**
 * One layer kind, as `node-tensorrt layers --json` prints it, with the first releases that build it. `rtx1` is null too if
 * TensorRT-RTX declares the layer but does not implement it.
 */
export interface LayerSummary extends FirstReleases {
  kind: string;
  /** Methods of tensors and networks, and functions of the package. */
  methods: string[];
  /** Whether the CPU backend runs it; a text where it does something else than TensorRT. */
  cpu: boolean | string;
  /** Releases where it is composed of other layers, by flavor, as ranges (`<10.7.0`, or `*` for all); false if there are none. */
  decomposed: Partial<Record<Flavor, string>> | false;
}

/** The oldest supported release of each flavor. */
const oldest: Record<Flavor, string> = { trt10: '10.0.0', trt11: '11.0.0', rtx1: '1.5.0' };
const flavors = Object.keys(oldest) as Flavor[];

function decomposedIn(first: FirstReleases | null): LayerSummary['decomposed'] {
  const ranges = flavors.flatMap((flavor) => {
    const release = first?.[flavor];
    return !first || release === oldest[flavor] ? [] : [[flavor, release ? `<${release}` : '*']];
  });
  return ranges.length > 0 && Object.fromEntries(ranges);
}

/** Every layer kind, sorted by name. Throws ERR_ADDON_MISSING if the addon is not compiled. */
export function layerList(): LayerSummary[] {
  const native = new Map(
    binding()
      .layerTable()
      .map((row) => [row.kind, row]),
  );
  return layerTable
    .map(({ definition: { kind, cpu }, methods, networkMethods, functions, onCpu, rtx1Builds = true }) => {
      const { trt10 = null, trt11 = null, rtx1 = null, decomposed = null } = native.get(kind) ?? {};
      const names = [methods, networkMethods, functions].flatMap((object) => Object.keys(object ?? {}));
      return {
        kind,
        methods: [...new Set(names)],
        trt10,
        trt11,
        rtx1: rtx1Builds ? rtx1 : null,
        cpu: onCpu ?? cpu !== undefined,
        decomposed: decomposedIn(decomposed),
      };
    })
    .sort((a, b) => (a.kind < b.kind ? -1 : 1));
}
