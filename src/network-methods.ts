import type { Network } from './dsl/network.js';
import { type CompileOptions, compile, type Model } from './model.js';
import { type Summary, type SummaryOptions, summaryOf } from './summary.js';
import { build, check } from './tensorrt/compile/build.js';
import type { BuildOptions } from './tensorrt/compile/options.js';
import type { LoweringReport } from './tensorrt/compile/reports.js';
import type { Engine } from './tensorrt/run/engine.js';

const methods = {
  /**
   * Builds the network with TensorRT, off the main thread. It is built as it is at the call: layers recorded later are not in
   * it, and arrays of weights are copied before the call returns, unless they lie in a mapped file.
   * @throws ERR_EMPTY_NETWORK, ERR_NO_OUTPUT, ERR_PROFILE, ERR_BUILD_OPTION; ERR_LIBRARY_NOT_FOUND; ERR_LAYER, ERR_UNSUPPORTED
   *   or ERR_INFERENCE with the layer and the line that recorded it; ERR_BUILD_FAILED with TensorRT's log; ERR_ABORTED;
   *   ERR_TENSORRT_CRASHED if TensorRT crashes, or crashed earlier: the library cannot build again in this process
   */
  build(this: Network, options?: BuildOptions): Promise<Engine> {
    return build(this, options);
  },
  /**
   * Creates the TensorRT network and build configuration without building an engine. It compares every layer's dtype and
   * shape with the inferred ones, and every parameter, input, weight and build option with what TensorRT's getters return.
   * Profiles are optional. Throws what `build` throws, ERR_READ_BACK if a layer does not hold what was recorded, and
   * ERR_BUILD_OPTION if an option does not.
   */
  check(this: Network, options?: BuildOptions): Promise<LoweringReport> {
    return check(this, options);
  },
  /**
   * What the network is made of: a row per layer with kind, shapes, parameters and bytes. `console.log(net.summary())` prints a table.
   * @throws ERR_PARAMETER
   */
  summary(this: Network, options?: SummaryOptions): Summary {
    return summaryOf(this, options);
  },
  /**
   * Makes the network runnable on this machine: as an engine on the GPU, else on the CPU backend (`onnxruntime-node`).
   * Without a GPU, the engine is still built if a library can build it, plugins included. What counts is what is there at the call, as for
   * `build`. Throws what `build` throws, and ERR_CPU_BACKEND if
   * onnxruntime-node is missing.
   */
  compile(this: Network, options?: CompileOptions): Promise<Model> {
    return compile(this, options);
  },
};

export { methods as runtimeMethods };
export type RuntimeMethods = typeof methods;

declare module './dsl/network.js' {
  interface Network extends RuntimeMethods {}
}
