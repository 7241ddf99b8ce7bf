import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { Command } from 'commander';
import pc from 'picocolors';
import { binding, type CudaDevice } from '../runtime/binding.js';
import { cudaInfo, findTensorRT, installLine, type TensorRTInstallation } from '../runtime/find.js';
import { missingPrerequisites } from '../runtime/install.js';

/** What works on this machine, and what would have to be done for the rest. */
export interface DoctorReport {
  package: string;
  node: string;
  /** The compiled addon; `error` says why it does not load. */
  addon: { path: string; compiled: boolean; error: string | null };
  /** Every TensorRT found, in search order. */
  tensorrt: TensorRTInstallation[];
  /** NVIDIA's driver and the CUDA version it supports; null where there is none. */
  driver: { version: string | null; cuda: string } | null;
  gpus: CudaDevice[];
  /** onnxruntime-node, which runs the CPU backend; `version` is null where it is missing or does not load. */
  onnxruntime: { version: string | null; error: string | null };
  works: { build: boolean; run: boolean; plugins: boolean; cpu: boolean };
  missing: Missing[];
}

export interface Missing {
  what: string;
  why: string;
  /** The command that gets it. */
  fix: string;
}

const root = new URL('../../', import.meta.url);

/** Looks at this machine; never throws. */
export async function doctor(): Promise<DoctorReport> {
  const addon = addonState();
  const cuda = cudaInfo();
  const [tensorrt, onnxruntime] = await Promise.all([findTensorRT({ cuda }), onnxruntimeState()]);
  const can = (purpose: 'build' | 'run' | 'plugins') => tensorrt.some((one) => one.usableFor[purpose]);
  const report: DoctorReport = {
    package: JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).version,
    node: process.versions.node,
    addon,
    tensorrt,
    driver: cuda.driver === null ? null : { version: driverVersion(), cuda: cuda.driver },
    gpus: cuda.devices,
    onnxruntime,
    works: {
      build: addon.compiled && can('build'),
      run: addon.compiled && can('run'),
      plugins: addon.compiled && can('plugins'),
      cpu: addon.compiled && onnxruntime.version !== null,
    },
    missing: [],
  };
  report.missing = await missing(report, cuda.error);
  return report;
}

function addonState(): DoctorReport['addon'] {
  const path = fileURLToPath(new URL('build/Release/node_tensorrt.node', root));
  try {
    binding();
    return { path, compiled: true, error: null };
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? cause.message : message;
    return { path, compiled: false, error: existsSync(path) ? why : 'not compiled' };
  }
}

async function onnxruntimeState(): Promise<DoctorReport['onnxruntime']> {
  const require = createRequire(import.meta.url);
  try {
    const { version } = JSON.parse(readFileSync(require.resolve('onnxruntime-node/package.json'), 'utf8'));
    await import('onnxruntime-node');
    return { version, error: null };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { version: null, error: code === 'MODULE_NOT_FOUND' ? 'not installed' : message };
  }
}

/** The kernel module's version, e.g. `580.95.05`. */
function driverVersion(): string | null {
  try {
    return /Kernel Module\D*(\d+\.[\d.]+)/.exec(readFileSync('/proc/driver/nvidia/version', 'utf8'))?.[1] ?? null;
  } catch {
    return null;
  }
}

async function missing(report: DoctorReport, cudaError: string | undefined): Promise<Missing[]> {
  const list: Missing[] = [];
  const { addon, tensorrt, gpus, works, onnxruntime } = report;
  const buildable = tensorrt.some((one) => one.usableFor.build);
  for (const { name, why, line } of await missingPrerequisites({ compile: !addon.compiled, fetch: !buildable }))
    list.push({ what: name, why, fix: line });
  if (!addon.compiled)
    list.push({ what: 'the addon', why: addon.error ?? '', fix: 'npx node-tensorrt install --no-fetch' });
  if (!buildable)
    list.push({ what: 'a TensorRT that builds engines', why: reasons(tensorrt, 'build'), fix: installLine('build') });
  if (addon.compiled && gpus.length === 0) {
    const fix = 'sudo apt-get install -y nvidia-driver   # Debian; on Ubuntu: sudo ubuntu-drivers install';
    list.push({ what: 'a GPU with a driver', why: `engines run on one: ${cudaError ?? 'none found'}`, fix });
  } else if (addon.compiled && !works.run) {
    const why = reasons(tensorrt, 'run');
    list.push({ what: 'a TensorRT that runs engines on this GPU', why, fix: installLine('run') });
  }
  if (onnxruntime.version === null) {
    const why = `runs networks without a GPU: ${onnxruntime.error}`;
    list.push({ what: 'onnxruntime-node', why, fix: 'npm install onnxruntime-node' });
  }
  return list;
}

function reasons(found: TensorRTInstallation[], purpose: 'build' | 'run'): string {
  if (found.length === 0) return 'no TensorRT was found';
  return found.map((one) => `${one.path}: ${one.refused ?? one.limits?.[purpose] ?? 'usable'}`).join('; ');
}

/** Whether anything at all can be done: an engine built, or a network run. */
const isUsable = ({ works }: DoctorReport) => works.build || works.run || works.cpu;

function render(report: DoctorReport): string {
  const yes = (text: string) => pc.green(text);
  const no = (text: string) => pc.red(text);
  const table = new Table({ head: ['TensorRT', 'flavor', 'version', 'usable for'], style: { head: [], border: [] } });
  for (const one of report.tensorrt) {
    const uses = Object.entries(one.usableFor).flatMap(([purpose, ok]) => (ok ? [purpose] : []));
    const usable = one.refused
      ? no(`refused: ${one.refused}`)
      : uses.length
        ? yes(uses.join(', '))
        : no('nothing here');
    table.push([one.path, one.flavor ?? '-', one.version ?? '-', usable]);
  }
  const { driver, onnxruntime, addon } = report;
  const gpus = report.gpus.map((gpu) => {
    const memory = (gpu.totalMemory / 2 ** 30).toFixed(0);
    return yes(`${gpu.name}, compute capability ${gpu.computeCapability}, ${memory} GiB`);
  });
  const lines = [
    `node-tensorrt ${report.package}, Node ${report.node}`,
    report.tensorrt.length ? table.toString() : `TensorRT     ${no('none found')}`,
    `addon        ${addon.compiled ? yes(addon.path) : no(addon.error ?? '')}`,
    `driver       ${driver ? yes(`${driver.version ?? 'unknown version'}, CUDA ${driver.cuda}`) : no('none')}`,
    `GPU          ${gpus.length ? gpus.join('\n             ') : no('none')}`,
    `onnxruntime  ${onnxruntime.version ? yes(onnxruntime.version) : no(onnxruntime.error ?? 'missing')}`,
    `works here   ${Object.entries(report.works)
      .map(([what, ok]) => (ok ? yes(what) : pc.dim(`no ${what}`)))
      .join(', ')}`,
  ];
  if (report.missing.length) lines.push('', 'Missing:');
  for (const { what, why, fix } of report.missing) lines.push(`  ${pc.bold(what)} (${why})`, `    ${pc.cyan(fix)}`);
  return lines.join('\n');
}

/** `node-tensorrt doctor`; exit code 1 where nothing can work. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('say which TensorRT, GPU and driver are here, what each can do, and what is missing')
    .option('--json', 'print the report as one JSON object')
    .action(async ({ json }: { json?: boolean }) => {
      const report = await doctor();
      console.log(json ? JSON.stringify(report) : render(report));
      if (!isUsable(report)) process.exitCode = 1;
    });
}
