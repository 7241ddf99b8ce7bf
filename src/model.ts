import { type CpuModel, createModelOf } from './cpu/session.js';
import type { Network } from './dsl/network.js';
import { requireComplete, snapshot } from './dsl/snapshot.js';
import { readArguments } from './errors/boundary.js';
import { show, TensorRTError } from './errors/error.js';
import { buildPrepared, prepare } from './tensorrt/compile/build.js';
import type { BuildOptions } from './tensorrt/compile/options.js';
import { findTensorRT } from './tensorrt/library/find.js';
import type { Engine } from './tensorrt/run/engine.js';
import type { Feeds } from './values/feeds.js';
import type { Result } from './values/result.js';

export interface CompileOptions extends BuildOptions {
  /** `tensorrt`: the GPU only; `cpu`: the CPU only, without TensorRT; `auto` (default): the GPU if there is one, else the CPU. */
  backend?: 'auto' | 'tensorrt' | 'cpu' | undefined;
}

/** A network that can run on this machine. */
export class Model {
  readonly backend: 'tensorrt' | 'cpu';
  /** The engine. The `cpu` backend has one too if `auto` found a TensorRT that builds without a GPU. */
  readonly engine?: Engine;
  readonly #cpu?: CpuModel;
  #disposed = false;

  /** @internal */
  constructor(engine: Engine | undefined, cpu: CpuModel | undefined) {
    this.backend = cpu ? 'cpu' : 'tensorrt';
    this.engine = engine;
    this.#cpu = cpu;
  }

  /**
   * Runs the network.
   * @throws ERR_FEED if the feeds do not fit, ERR_DISPOSED, and the backend's own errors
   */
  async run(feeds: Feeds): Promise<Record<string, Result>> {
    if (this.#disposed) throw new TensorRTError('ERR_DISPOSED', 'the model was disposed');
    return this.#cpu ? this.#cpu.run(feeds) : this.engine!.run(feeds);
  }

  /** Frees the engine and the CPU session; later calls throw ERR_DISPOSED. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.engine?.dispose();
    this.#cpu?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Makes a network runnable; see `Network.compile`. */
export async function compile(net: Network, options: CompileOptions = {}): Promise<Model> {
  if (typeof options !== 'object' || options === null) {
    throw new TensorRTError('ERR_BUILD_OPTION', `compile: expected options, given ${show(options)}`);
  }
  const { backend = 'auto', ...buildOptions } = readArguments(
    'compile',
    [options],
    () => ({ ...options }),
    'ERR_BUILD_OPTION',
  );
  if (!['auto', 'tensorrt', 'cpu'].includes(backend)) {
    throw new TensorRTError(
      'ERR_BUILD_OPTION',
      `backend: expected 'auto', 'tensorrt' or 'cpu', given ${show(backend)}`,
    );
  }
  // Both backends take what the network is at the call, and its arrays.
  if (backend === 'cpu') {
    const network = snapshot(net);
    requireComplete(network);
    return new Model(undefined, await createModelOf(network));
  }
  const prepared = prepare(net, buildOptions);
  const { network, options: checked } = prepared;
  const cpu = () => createModelOf(network);
  try {
    const { library } = checked;
    const found = await findTensorRT(
      library === undefined ? {} : { env: { ...process.env, NODE_TENSORRT_LIBRARY: library } },
    );
    if (backend === 'auto' && library === undefined && !found.some((one) => one.usableFor.build))
      return new Model(undefined, await cpu());
    const engine = await buildPrepared(prepared);
    // An engine runs only on the library that built it.
    const runs = found.some((one) => one.path === engine.library.path && one.usableFor.run);
    return new Model(engine, runs || backend === 'tensorrt' ? undefined : await cpu());
  } finally {
    network.release();
  }
}
