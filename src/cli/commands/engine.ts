import { Command } from 'commander';
import { extractPlan } from '../../tensorrt/files/extract.js';
import { readEngineFile } from '../../tensorrt/files/read.js';
import { engineText } from '../engine-text.js';
import { addExamples } from '../shared/exit.js';
import { escapeForTerminal, print, printJson, size, withoutPlace } from '../shared/output.js';

interface Json {
  json?: boolean;
}

/** `node-tensorrt engine metadata` */
function metadataCommand(): Command {
  const command = new Command('metadata')
    .description('show what an engine file says of its engine; needs no TensorRT and no GPU')
    .argument('<file>', "a container of node-tensorrt, a file of Ultralytics', or a plan")
    .option('--json', 'as JSON')
    .action(
      withoutPlace(async (file: string, { json }: Json) => {
        const found = await readEngineFile(file);
        if (json) printJson({ file, ...found });
        else print(engineText(found));
      }),
    );
  return addExamples(command, [
    [
      'node-tensorrt engine metadata lenet.engine',
      'network, library, GPU, options, inputs, outputs and what you stored',
    ],
    [
      'node-tensorrt engine metadata yolo.engine --json | jq .metadata.user.names',
      "the labels of a model of Ultralytics'",
    ],
  ]);
}

/** `node-tensorrt engine extract` */
function extractCommand(): Command {
  const command = new Command('extract')
    .description(
      "write TensorRT's plan, which other tools load, after comparing its checksums; needs no TensorRT and no GPU",
    )
    .argument('<file>', "a container of node-tensorrt, or a file of Ultralytics'")
    .requiredOption('-o, --output <plan>', 'the plan to write')
    .option('--json', 'as JSON')
    .action(
      withoutPlace(async (file: string, { output, json }: Json & { output: string }) => {
        const { format, plan } = await extractPlan(file, output);
        if (json) printJson({ file, format, output, bytes: plan.bytes });
        else print(`${escapeForTerminal(output)}: ${size(plan.bytes)}`);
      }),
    );
  return addExamples(command, [
    [
      'node-tensorrt engine extract lenet.engine -o lenet.plan',
      'for trtexec --loadEngine=lenet.plan, Python or Triton',
    ],
  ]);
}

/** `node-tensorrt engine metadata|extract` */
export const engineCommand = (): Command =>
  new Command('engine')
    .description('engine files: what they say of themselves, and the plan in them')
    .addCommand(metadataCommand())
    .addCommand(extractCommand());
