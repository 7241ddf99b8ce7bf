import { show } from '../../errors/error.js';
import { checkOptions } from '../../errors/options.js';
import { refuse } from '../../errors/refusal.js';
import type { NativeRtxOptions } from '../binding.js';

/** What only TensorRT-RTX has; another library refuses it with ERR_UNSUPPORTED. It was never run: the GPUs that test this package cannot run TensorRT-RTX. */
export interface RtxOptions {
  /** Whether TensorRT-RTX captures whole runs as CUDA graphs by itself. Default: its own, `'disabled'`. Leave `cudaGraph` off with `'wholeGraph'`. */
  cudaGraphStrategy?: 'disabled' | 'wholeGraph' | undefined;
  /**
   * When kernels are compiled for the shapes at hand: `'lazy'` in the background, while general ones run; `'eager'` before the run;
   * `'none'` never. Default: TensorRT-RTX's own, `'lazy'`.
   */
  dynamicShapesKernelSpecialization?: 'lazy' | 'eager' | 'none' | undefined;
  /** Keeps compiled kernels: what `context.runtimeCache()` returned in an earlier process, or an empty array to begin with. */
  runtimeCache?: Uint8Array | undefined;
}

const graphStrategies = { disabled: 'disabled', wholeGraph: 'whole_graph_capture' } as const;
const specializations = { lazy: 'lazy', eager: 'eager', none: 'none' } as const;

function one<T extends Record<string, string>>(option: string, given: unknown, among: T): T[keyof T] | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'string' && Object.hasOwn(among, given)) return among[given as keyof T];
  const names = Object.keys(among).map((name) => `'${name}'`);
  const expected = `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  return refuse('createContext', 'ERR_PARAMETER', `expected ${expected}, given ${show(given)}`, {
    option: `rtx.${option}`,
    actual: given,
  });
}

/** @throws ERR_PARAMETER */
export function readRtxOptions(given: unknown): NativeRtxOptions | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== 'object' || given === null) {
    refuse('createContext', 'ERR_PARAMETER', `expected an object, given ${show(given)}`, {
      option: 'rtx',
      actual: given,
    });
  }
  checkOptions(given, ['cudaGraphStrategy', 'dynamicShapesKernelSpecialization', 'runtimeCache'], 'createContext');
  const { cudaGraphStrategy, dynamicShapesKernelSpecialization, runtimeCache } = given as RtxOptions;
  if (runtimeCache !== undefined && !(runtimeCache instanceof Uint8Array)) {
    const expected = `expected a Uint8Array, given ${show(runtimeCache)}`;
    refuse('createContext', 'ERR_PARAMETER', expected, { option: 'rtx.runtimeCache', actual: runtimeCache });
  }
  const strategy = one('cudaGraphStrategy', cudaGraphStrategy, graphStrategies);
  const specialization = one('dynamicShapesKernelSpecialization', dynamicShapesKernelSpecialization, specializations);
  return {
    ...(strategy && { cudaGraphStrategy: strategy }),
    ...(specialization && { dynamicShapesKernelSpecialization: specialization }),
    ...(runtimeCache && { runtimeCache }),
  };
}
