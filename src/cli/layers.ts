import Table from 'cli-table3';
import { Command } from 'commander';
import pc from 'picocolors';
import { type LayerSummary, layerList } from './layer-list.js';

function render(rows: readonly LayerSummary[]): string {
  const head = ['kind', 'methods', 'TensorRT 10', 'TensorRT 11', 'RTX', 'CPU', 'by other layers'];
  const table = new Table({ head, colWidths: [null, 44], wordWrap: true, style: { head: [], border: [] } });
  for (const { kind, methods, trt10, trt11, rtx1, cpu, decomposed } of rows) {
    const cells = [trt10, trt11, rtx1].map((release) => release ?? pc.red('no'));
    const stead = Object.entries(decomposed).map(([flavor, releases]) => `${flavor} ${releases}`);
    table.push([pc.bold(kind), methods.join(', '), ...cells, cpu ? 'yes' : pc.red('no'), stead.join(', ')]);
  }
  return table.toString();
}

/** `node-tensorrt layers` */
export function layersCommand(): Command {
  return new Command('layers')
    .description(
      'list every layer kind: its methods, the first release of each TensorRT that has it, and what runs on the CPU',
    )
    .option('--json', 'print the list as JSON')
    .action(({ json }: { json?: boolean }) => {
      const rows = layerList();
      console.log(json ? JSON.stringify(rows) : render(rows));
    });
}
