import { Command } from 'commander';
import type { SummaryOptions } from '../../summary.js';
import { addExamples, refuseArgument } from '../shared/exit.js';
import { loadNetwork, parseSet } from '../shared/model-file.js';
import { print, printJson, reserveOutput } from '../shared/output.js';

interface Options extends SummaryOptions {
  set?: Record<string, string>;
  json?: boolean;
}

function parseDepth(text: string): number {
  const depth = Number(text);
  return Number.isSafeInteger(depth) && depth >= 1 ? depth : refuseArgument('a whole number from 1', text);
}

/** `node-tensorrt summary` */
export function summaryCommand(): Command {
  const command = new Command('summary')
    .description('list the layers of a network: kinds, shapes, parameters and their bytes')
    .argument('<model>', 'TypeScript or JavaScript whose default export is a network, or a function that returns one')
    .option('--depth <count>', 'parts of a name, between dots, that have a row of their own', parseDepth)
    .option('--set <name=value>', 'an option of the function; repeat it for more', parseSet)
    .option('--json', 'print rows and totals as JSON')
    .action(async (model: string, { set, depth, json }: Options) => {
      reserveOutput();
      const summary = (await loadNetwork(model, set)).summary({ depth });
      if (json) printJson(summary);
      else print(summary.toString());
    });
  return addExamples(command, [
    ['node-tensorrt summary model.ts', 'every layer'],
    ['node-tensorrt summary model.ts --depth 3', 'the layers of encoder.layer.0 in one row'],
    ['node-tensorrt summary model.ts --set size=640 --json | jq .parameters', 'how many parameters it has'],
  ]);
}
