import Table from 'cli-table3';
import { Command } from 'commander';
import { type LayerSummary, layerList } from '../layer-list.js';
import { type ModuleSummary, moduleList } from '../module-list.generated.js';
import { colors } from '../shared/output.js';

function renderLayers(rows: readonly LayerSummary[]): string {
  const head = ['kind', 'methods', 'TensorRT 10', 'TensorRT 11', 'RTX', 'CPU', 'by other layers'];
  const colWidths = [null, 44, null, null, null, null, 18];
  const table = new Table({ head, colWidths, wordWrap: true, style: { head: [], border: [] } });
  const yesNo = (yes: boolean | string) => (typeof yes === 'string' ? yes : yes ? 'yes' : colors.red('no'));
  for (const { kind, methods, trt10, trt11, rtx1, cpu, decomposed } of rows) {
    const cells = [trt10, trt11, rtx1].map((release) => release ?? colors.red('no'));
    const stead = Object.entries(decomposed).map(([flavor, releases]) => `${flavor} ${releases}`);
    table.push([colors.bold(kind), methods.join(', '), ...cells, yesNo(cpu), stead.join(', ')]);
  }
  return table.toString();
}

function renderModules(rows: readonly ModuleSummary[]): string {
  const head = ['method', 'what it is', 'made of'];
  const table = new Table({ head, colWidths: [null, 64, 26], wordWrap: true, style: { head: [], border: [] } });
  for (const { method, about, kinds } of rows) table.push([colors.bold(method), about, kinds.join(', ')]);
  return table.toString();
}

/** `node-tensorrt layers` */
export function layersCommand(): Command {
  return new Command('layers')
    .description(
      'list every layer kind (its methods, the first releases that build it, whether the CPU backend runs it) and the methods made of them',
    )
    .option('--modules', 'only the methods that are made of several layers')
    .option('--json', 'print the layer kinds as JSON, or with --modules those methods')
    .action(({ json, modules }: { json?: boolean; modules?: boolean }) => {
      if (json) console.log(JSON.stringify(modules ? moduleList : layerList()));
      else if (modules) console.log(renderModules(moduleList));
      else console.log(`${renderLayers(layerList())}\n\nMade of these layers:\n${renderModules(moduleList)}`);
    });
}
