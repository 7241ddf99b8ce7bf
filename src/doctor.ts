import { readFileSync } from 'node:fs';
import { addonFault, addonPath } from './addon.js';
import { type OnnxruntimeState, onnxruntimeState } from './cpu/onnxruntime.js';
import { missingPrerequisites } from './machine/install.js';
import { version } from './package/version.js';
import { findNvrtc, installNvrtc, type NvrtcInstallation } from './plugin/nvrtc.js';
import type { CudaDevice } from './tensorrt/binding.js';
import { cudaInfo, examineTensorRT, installLine, type TensorRTInstallation } from './tensorrt/library/find.js';

/** What works on this machine, and how to get what does not. */
export interface DoctorReport {
  /** Version of this package. */
  package: string;
  /** Version of Node. */
  node: string;
  /** The compiled addon; `error` says why there is none that loads, and `fix` is the command that helps. */
  addon:
    | { path: string; compiled: true; error: null; fix: null }
    | { path: null; compiled: false; error: string; fix: string | null };
  /** Every TensorRT found, in search order. */
  tensorrt: TensorRTInstallation[];
  /** NVIDIA's driver and the CUDA version it supports; null if there is none. */
  driver: { version: string | null; cuda: string } | null;
  /** The GPUs that the driver reports. */
  gpus: CudaDevice[];
  /** Every NVRTC found, in search order: it compiles kernels of plugins. */
  nvrtc: NvrtcInstallation[];
  /** onnxruntime-node, which runs the CPU backend. */
  onnxruntime: OnnxruntimeState;
  /** Whether engines can be built, engines can run, plugins can be compiled, and the CPU backend runs. */
  works: { build: boolean; run: boolean; plugins: boolean; cpu: boolean };
  /** What is missing, and how to get it. */
  missing: MissingPart[];
}

/** Something that this machine lacks. */
export interface MissingPart {
  /** The part. */
  what: string;
  /** What does not work without it. */
  why: string;
  /** The command that installs it. */
  fix: string;
}

/** Inspects this machine; never throws. */
export async function doctor(): Promise<DoctorReport> {
  const fault = addonFault();
  const addon = addonState(fault);
  const cuda = await cudaInfo();
  const nvrtcHere = findNvrtc({ driver: cuda.driver });
  const [tensorrt, nvrtc, onnxruntime] = await Promise.all([examineTensorRT({ cuda }), nvrtcHere, onnxruntimeState()]);
  const can = (purpose: 'build' | 'run' | 'plugins') => tensorrt.some((one) => one.usableFor[purpose]);
  const report: DoctorReport = {
    package: version,
    node: process.versions.node,
    addon,
    tensorrt,
    driver: cuda.driver === null ? null : { version: driverVersion(), cuda: cuda.driver },
    gpus: cuda.devices,
    nvrtc,
    onnxruntime,
    works: {
      build: addon.compiled && can('build'),
      run: addon.compiled && can('run'),
      plugins: addon.compiled && can('plugins'),
      cpu: onnxruntime.version !== null,
    },
    missing: [],
  };
  report.missing = await missing(report, cuda.error, fault?.compiles);
  return report;
}

function addonState(fault: ReturnType<typeof addonFault>): DoctorReport['addon'] {
  if (!fault) return { path: addonPath(), compiled: true, error: null, fix: null };
  return { path: null, compiled: false, error: fault.message, fix: fault.fix ?? null };
}

/** The kernel module's version, e.g. `580.95.05`. */
function driverVersion(): string | null {
  try {
    return /Kernel Module\D*(\d+\.[\d.]+)/.exec(readFileSync('/proc/driver/nvidia/version', 'utf8'))?.[1] ?? null;
  } catch {
    return null;
  }
}

async function missing(report: DoctorReport, cudaError: string | undefined, compile = false): Promise<MissingPart[]> {
  const list: MissingPart[] = [];
  const { addon, tensorrt, gpus, works, onnxruntime } = report;
  const buildable = tensorrt.some((one) => one.usableFor.build);
  for (const { name, why, line } of await missingPrerequisites({ compile }).catch(() => []))
    list.push({ what: name, why, fix: line });
  if (addon.fix !== null) list.push({ what: 'the addon', why: addon.error, fix: addon.fix });
  if (!buildable)
    list.push({ what: 'a TensorRT that builds engines', why: reasons(tensorrt, 'build'), fix: installLine('build') });
  if (addon.compiled && gpus.length === 0) {
    const fix = 'sudo apt-get install -y nvidia-driver   # Debian; on Ubuntu: sudo ubuntu-drivers install';
    list.push({ what: 'a GPU with a driver', why: `engines run on one: ${cudaError ?? 'none found'}`, fix });
  } else if (addon.compiled && !works.run) {
    const why = reasons(tensorrt, 'run');
    list.push({ what: 'a TensorRT that runs engines on this GPU', why, fix: installLine('run') });
  }
  const lack = works.plugins && nvrtcLack(report.nvrtc);
  if (lack) list.push({ ...lack, fix: installNvrtc });
  if (onnxruntime.version === null) {
    const why = `runs networks without a GPU: ${onnxruntime.error}`;
    list.push({ what: 'onnxruntime-node', why, fix: 'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node' });
  }
  return list;
}

/** What plugins with kernels of their own lack. */
function nvrtcLack(found: readonly NvrtcInstallation[]): Omit<MissingPart, 'fix'> | undefined {
  const usable = found.filter((one) => one.refused === undefined);
  if (usable.some(({ include }) => include !== null)) return undefined;
  const why = found.map(({ path, refused }) => `${path}: ${refused ?? 'without cuda_fp16.h'}`).join('; ');
  const what = usable.length > 0 ? "CUDA's headers" : 'NVRTC';
  return { what, why: `compiles kernels of plugins: ${why || 'none was found'}` };
}

function reasons(found: TensorRTInstallation[], purpose: 'build' | 'run'): string {
  if (found.length === 0) return 'no TensorRT was found';
  return found.map((one) => `${one.path}: ${one.refused ?? one.limits?.[purpose] ?? 'usable'}`).join('; ');
}
