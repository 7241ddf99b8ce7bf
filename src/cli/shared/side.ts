import { existsSync } from 'node:fs';
import type { Side } from '../../compare/sides.js';
import type { Network } from '../../dsl/network.js';
import { type CompileOptions, loadEngine } from '../../index.js';
import type { Engine } from '../../tensorrt/run/engine.js';
import type { EngineIO } from '../../tensorrt/run/engine-io.js';
import { loadWeights, type Weights } from '../../weights/index.js';
import { UsageError } from './exit.js';
import { loadNetwork } from './model-file.js';

export const isModule = (path: string): boolean => /\.[cm]?[jt]sx?$/.test(path);
const isStored = (path: string): boolean => /\.(safetensors|npz|npy|pt|bin|index\.json)$/.test(path);

/** A model on the command line: `model.ts`, `cpu:model.ts`, `tensorrt:model.ts`, `x.engine`, or stored outputs. */
export interface NamedSide {
  /** As it was given. */
  name: string;
  kind: 'network' | 'engine' | 'stored';
  path: string;
  backend?: 'cpu' | 'tensorrt' | undefined;
}

/** What a side may be, for `--help`. */
export const sideHelp =
  'x.engine; model.ts, cpu:model.ts or tensorrt:model.ts; or outputs of a run, as safetensors or npz';

/** @throws UsageError */
export function parseSide(name: string): NamedSide {
  const found = /^(cpu|tensorrt):(.*)$/s.exec(name);
  // A file may have such a name.
  const [backend, path] = found && !existsSync(name) ? [found[1] as 'cpu' | 'tensorrt', found[2]!] : [undefined, name];
  if (isModule(path)) return { name, kind: 'network', path, backend };
  if (backend !== undefined) throw new UsageError(`${name}: expected a module of a network behind '${backend}:'`);
  return { name, kind: isStored(path) ? 'stored' : 'engine', path };
}

export interface OpenedSide extends Disposable {
  side: Side;
  /** Empty for stored outputs. */
  inputs: readonly EngineIO[];
  network?: Network | undefined;
}

export interface OpenSideOptions {
  set?: Record<string, string> | undefined;
  options?: CompileOptions | undefined;
  library?: string | undefined;
  device?: number | undefined;
}

/** Loads what a side names. */
export async function openNamed(named: NamedSide, given: OpenSideOptions = {}): Promise<OpenedSide> {
  const { kind, path, backend } = named;
  if (kind === 'network') {
    const network = await loadNetwork(path, given.set);
    const side = { network, options: { ...given.options, backend: backend ?? ('auto' as const) } };
    return { side, inputs: network.inputs, network, [Symbol.dispose]() {} };
  }
  const opened: Weights | Engine =
    kind === 'stored'
      ? await loadWeights(path)
      : await loadEngine(path, { library: given.library, device: given.device });
  const inputs = 'inputs' in opened ? opened.inputs : [];
  return { side: opened, inputs, [Symbol.dispose]: () => opened[Symbol.dispose]() };
}
