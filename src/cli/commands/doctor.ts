import Table from 'cli-table3';
import { Command } from 'commander';
import { type DoctorReport, doctor } from '../../doctor.js';
import { colors } from '../shared/output.js';

/** Whether anything works: building an engine, or running a network. */
const isUsable = ({ works }: DoctorReport) => works.build || works.run || works.cpu;

function render(report: DoctorReport): string {
  const yes = (text: string) => colors.green(text);
  const no = (text: string) => colors.red(text);
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
  const nvrtc = report.nvrtc.find((one) => one.refused === undefined) ?? report.nvrtc[0];
  const headers = nvrtc?.include ? `headers in ${nvrtc.include}` : "without CUDA's headers";
  const compiler = nvrtc?.refused
    ? no(`${nvrtc.path}: ${nvrtc.refused}`)
    : yes(`${nvrtc?.path} (${nvrtc?.version}), ${headers}`);
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
    `NVRTC        ${nvrtc ? compiler : colors.dim('none found')}`,
    `onnxruntime  ${onnxruntime.version ? yes(onnxruntime.version) : no(onnxruntime.error ?? 'missing')}`,
    `works here   ${Object.entries(report.works)
      .map(([what, ok]) => (ok ? yes(what) : colors.dim(`no ${what}`)))
      .join(', ')}`,
  ];
  if (report.missing.length) lines.push('', 'Missing:');
  for (const { what, why, fix } of report.missing)
    lines.push(`  ${colors.bold(what)} (${why})`, `    ${colors.cyan(fix)}`);
  return lines.join('\n');
}

/** `node-tensorrt doctor`; exit code 1 if nothing works. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('show which TensorRT, GPU and driver were found, what each can do, and what is missing')
    .option('--json', 'print the report as one JSON object')
    .action(async ({ json }: { json?: boolean }) => {
      const report = await doctor();
      console.log(json ? JSON.stringify(report) : render(report));
      if (!isUsable(report)) process.exitCode = 1;
    });
}
