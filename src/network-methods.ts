import type { Network } from './dsl/network.js';
import { type CompileOptions, compile, type Model } from './model.js';
import { build, check, type LoweringReport } from './tensorrt/compile/build.js';
import type { BuildOptions } from './tensorrt/compile/options.js';
import type { Engine } from './tensorrt/run/engine.js';

const methods = {
  /**
   * Builds the network with TensorRT, off the main thread.
   * @throws ERR_EMPTY_NETWORK, ERR_NO_OUTPUT, ERR_PROFILE, ERR_BUILD_OPTION; ERR_LIBRARY_NOT_FOUND; ERR_LAYER, ERR_UNSUPPORTED
   *   or ERR_INFERENCE with the layer and its place in your code; ERR_BUILD_FAILED with TensorRT's own lines; ERR_ABORTED;
   *   ERR_TENSORRT_CRASHED where TensorRT crashes, or did before in this process: then this library builds no more in it
   */
  build(this: Network, options?: BuildOptions): Promise<Engine> {
    return build(this, options);
  },
  /**
   * Creates the TensorRT network and the build configuration without building. Every layer's dtype and shape is compared with
   * what was inferred here; every parameter, input and weight of every layer, and every build option, with what TensorRT's
   * getters then say. Profiles are optional here. Errors as `build`; ERR_READ_BACK where a layer holds something else than
   * was recorded, ERR_BUILD_OPTION where an option does.
   */
  check(this: Network, options?: BuildOptions): Promise<LoweringReport> {
    return check(this, options);
  },
  /**
   * Makes the network runnable here: as an engine on a GPU, else on the CPU backend (`onnxruntime-node`). Without a GPU the
   * engine is built all the same where a library can. Errors as `build`; ERR_CPU_BACKEND where onnxruntime-node is missing.
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
