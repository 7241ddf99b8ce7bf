import { type ErrorFacts, type SourceLocation, TensorRTError } from '../errors/error.js';
import type { Env } from '../machine/search.js';
import { launchesOf } from './argument-sizes.js';
import { pluginBinding } from './binding.js';
import { argumentMismatch, type GivenArgument, kernelParameters } from './cubin.js';
import type { Definition } from './definition.js';
import { type CompiledKernels, cachedKernels } from './kernel-cache.js';
import {
  type CompilerMessage,
  compilerComplaints,
  compilerMessages,
  expressionAtFault,
  inOneLine,
} from './kernel-log.js';
import {
  type CudaSource,
  type KernelSource,
  kernelsIn,
  readOptions,
  readSource,
  type SourceFiles,
  sourceFiles,
} from './kernel-source.js';
import {
  chooseNvrtc,
  type FindNvrtcOptions,
  installNvrtc,
  type LoadedNvrtc,
  lacksHeaders,
  nvrtcIdentity,
} from './nvrtc.js';
import type { Recipe } from './recipe.js';

/** Kernels to compile. */
export interface KernelRequest {
  /** The plugin's name, for messages. */
  name: string;
  cuda: CudaSource;
  /** NVRTC's options. */
  options: readonly string[];
  /** NVRTC's name expressions: `rmsNorm<__half>`. */
  kernels: readonly string[];
  /** What each launch passes to which kernel. */
  launches: readonly { kernel: number; args: readonly GivenArgument[] }[];
  /** Where it was defined. */
  source?: SourceLocation | undefined;
}

export interface CompileOptions extends FindNvrtcOptions {
  /** Keep the lines of the source in the machine code, for compute-sanitizer and profilers. */
  lineinfo?: boolean | undefined;
  /** Gets the compiler's warnings, one line each. */
  onWarning?: ((message: string) => void) | undefined;
  /** Throws where the work is to end; called between steps. */
  check?: (() => void) | undefined;
  /** Compiles for all capabilities. Default: the first NVRTC here that does; looking for it takes some milliseconds. */
  nvrtc?: LoadedNvrtc | undefined;
}

export interface CompiledRequest {
  /** Machine code by compute capability, times 10: 90 is sm_90. */
  cubins: { capability: number; data: Uint8Array }[];
  /** The name of each kernel in the machine code. */
  lowered: readonly string[];
  /** SHA-256 of the source and the caller's headers. */
  sourceHash: string;
}

/** A compute capability, times 10: `9.0` is 90. */
export function capabilityOf(text: string): number {
  const [major, minor] = text.split('.').map(Number) as [number, number];
  return 10 * major + minor;
}

/**
 * Compiles kernels for GPUs, or takes them from the cache.
 * @param capabilities compute capabilities, times 10
 * @throws {TensorRTError} ERR_KERNEL if a kernel does not compile, or its launches pass other arguments than it takes; ERR_NVRTC_MISSING
 */
export async function compileKernels(
  request: KernelRequest,
  capabilities: readonly number[],
  options: CompileOptions = {},
): Promise<CompiledRequest> {
  const { check = () => {}, env = process.env } = options;
  try {
    const source = await readSource(request.name, request.cuda);
    const given = readOptions(request.name, request.options, source.folder);
    const files = await sourceFiles(source, given.folders);
    const result: CompiledRequest = { cubins: [], lowered: [], sourceHash: files.hash };
    if (capabilities.length === 0 || request.kernels.length === 0) return result;
    const nvrtc = options.nvrtc ?? (await chooseNvrtc(capabilities, options));
    for (const capability of capabilities) {
      check();
      const flags = flagsFor(capability, given.options, source, nvrtc, options.lineinfo);
      const work = { request, source, files, nvrtc, flags };
      const { cubin, lowered, log } = await compileCached(work, env);
      if (result.cubins.length === 0) passOn(log, options.onWarning);
      result.lowered = lowered;
      result.cubins.push({ capability, data: cubin });
      checkLaunches(request, cubin, lowered);
    }
    return result;
  } catch (error) {
    if (error instanceof TensorRTError && error.source === undefined && request.source)
      throw error.with({ source: request.source });
    throw error;
  }
}

/**
 * Compiles the kernels of a layer.
 * @param capabilities compute capabilities, times 10
 * @throws {TensorRTError} as `compileKernels`
 */
export function compilePlugin(
  { name, cuda, options, source }: Definition,
  recipe: Recipe,
  capabilities: readonly number[],
  more: CompileOptions = {},
): Promise<CompiledRequest> {
  // An error in a file names that; one in a string is to be found by where the string stands.
  const where = 'source' in cuda && { source };
  const request = { name, cuda, options, kernels: recipe.kernels, launches: launchesOf(recipe), ...where };
  return compileKernels(request, capabilities, more);
}

interface Work {
  request: KernelRequest;
  source: KernelSource;
  files: SourceFiles;
  nvrtc: LoadedNvrtc;
  flags: string[];
}

function flagsFor(
  capability: number,
  given: readonly string[],
  source: KernelSource,
  nvrtc: LoadedNvrtc,
  lineinfo: boolean | undefined,
): string[] {
  const folders = [source.folder, nvrtc.include].filter((folder) => folder !== null);
  return [
    `--gpu-architecture=sm_${capability}`,
    ...given,
    ...(lineinfo && !given.includes('-lineinfo') && !given.includes('--generate-line-info') ? ['-lineinfo'] : []),
    ...folders.map((folder) => `--include-path=${folder}`),
    // Else the working directory is looked in.
    ...(source.folder === null && Number.parseInt(nvrtc.version, 10) >= 12 ? ['--no-source-include'] : []),
  ];
}

async function compileCached(work: Work, env: Env): Promise<CompiledKernels> {
  const { request, source, files, nvrtc, flags } = work;
  const key = [source.file, files.hash, await nvrtcIdentity(nvrtc), ...flags, '', ...request.kernels];
  return cachedKernels(key, env, !files.isOpen, () => compileNow(work));
}

async function compileNow({ request, source, files, nvrtc, flags }: Work): Promise<CompiledKernels> {
  const { text, file } = source;
  const compiled = await pluginBinding().compileKernel(nvrtc.path, {
    source: text,
    file,
    options: flags,
    names: request.kernels,
  });
  const { cubin, log, lowered } = compiled;
  if (cubin === null) throw failure(request, source, files, nvrtc, log);
  return { cubin: new Uint8Array(cubin), lowered, log };
}

function passOn(log: string, onWarning: CompileOptions['onWarning']): void {
  if (!onWarning) return;
  for (const message of compilerMessages(log)) if (message.severity === 'warning') onWarning(inOneLine(message));
}

const indented = (lines: readonly string[]): string => lines.map((line) => `\n    ${line}`).join('');

/** The error for what NVRTC refuses, at the user's own line. */
function failure(
  request: KernelRequest,
  source: KernelSource,
  files: SourceFiles,
  nvrtc: LoadedNvrtc,
  log: string,
): TensorRTError {
  const errors = compilerMessages(log).filter(({ severity }) => severity === 'error');

  const own = errors.find((message) => expressionAtFault(message) === undefined);
  const [first] = errors;
  if (own) {
    const { file, line, column } = own;
    const more = errors.length > 1 ? `\n    and ${errors.length - 1} more` : '';
    const said = `the CUDA source of ${request.name} does not compile: ${file}:${line}:${column}: ${own.text}${indented(own.excerpt)}${more}${headersHint(log, nvrtc)}`;
    return kernelError(said, { cuda: { file, line, column } });
  }
  if (first) return kernelError(notFound(request, source, files, first), { actual: expressionAtFault(first) });
  const why = compilerComplaints(log).join('; ') || log.trim() || 'it gives no reason';
  return kernelError(`NVRTC ${nvrtc.version} does not compile ${request.name}: ${why}`, {});
}

const kernelError = (said: string, facts: ErrorFacts): TensorRTError => new TensorRTError('ERR_KERNEL', said, facts);

function headersHint(log: string, nvrtc: LoadedNvrtc): string {
  const header = lacksHeaders(log);
  if (header === undefined) return '';
  return nvrtc.include === null
    ? `\n    no folder with CUDA's headers was found for ${nvrtc.path}; get them with: ${installNvrtc}`
    : `\n    CUDA's headers in ${nvrtc.include} have no ${header}`;
}

const dtypeHeaders: Readonly<Record<string, string>> = {
  __half: 'cuda_fp16.h',
  __nv_bfloat16: 'cuda_bf16.h',
  __nv_fp8_e4m3: 'cuda_fp8.h',
};

function notFound(
  { name }: KernelRequest,
  { file }: KernelSource,
  { texts }: SourceFiles,
  message: CompilerMessage,
): string {
  const kernels = kernelsIn(texts);
  const list = kernels.length > 0 ? `it has ${kernels.join(', ')}` : 'it has no __global__ function';
  const unknown = /identifier "(\w+)" is undefined/.exec(message.text)?.[1] ?? '';
  const header = dtypeHeaders[unknown];
  const hint = header ? `; #include <${header}> there` : '';
  return `kernel ${expressionAtFault(message)} of ${name} cannot be made from ${file}: ${message.text}${hint}; ${list}`;
}

/** @throws {TensorRTError} ERR_KERNEL naming the first argument that does not fit */
function checkLaunches(
  { name, kernels, launches }: KernelRequest,
  cubin: Uint8Array,
  lowered: readonly string[],
): void {
  const parameters = kernelParameters(cubin);
  for (const { kernel, args } of launches) {
    const its = parameters.get(lowered[kernel]!);
    // The driver is asked again before the first launch.
    if (!its) continue;
    const wrong = argumentMismatch(kernels[kernel]!, args, its);
    if (wrong)
      throw kernelError(`launch of ${name}: ${wrong}`, {
        expected: its.map(({ size }) => size),
        actual: args.map(({ size }) => size),
      });
  }
}
