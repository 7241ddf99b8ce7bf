import { Command, InvalidArgumentError } from 'commander';
import type { TritonOptions } from '../../triton/options.js';
import { writeTritonRepository } from '../../triton/write.js';
import { addExamples } from '../shared/exit.js';
import { escapeForTerminal, print, printJson, reserveOutput, withoutPlace } from '../shared/output.js';

interface TritonArguments extends Omit<TritonOptions, 'version' | 'cudaGraphs'> {
  output: string;
  modelVersion?: number;
  cudaGraphs?: true | number[];
  json?: boolean;
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

const list = (text: string): number[] => text.split(',').map(whole);
const repeated = (text: string, before: readonly string[] = []): string[] => [...before, text];

/** `node-tensorrt triton x.engine -o repository` */
export function tritonCommand(): Command {
  const command = new Command('triton')
    .description('write a model repository for Triton Inference Server')
    .argument('<engine>', 'an engine file')
    .requiredOption('-o, --output <folder>', 'the repository; other models and versions in it stay')
    .option('--name <name>', "the model's name; default: the file's, without extension")
    .option('--model-version <number>', 'its version; default 1', whole)
    .option('--batching', 'let Triton put requests together along the first dim; an error if it cannot')
    .option('--no-batching', 'do not; default: where every input and output has one dynamic first dim')
    .option('--max-queue-delay <microseconds>', 'most that a request waits for others', whole)
    .option('--instances <count>', 'copies per GPU; default 1', whole)
    .option('--gpus <indices>', 'such as 0,1; default: all', list)
    .option('--no-warmup', 'take requests at once, without a first run')
    .option(
      '--cuda-graphs [batches]',
      'capture CUDA graphs: of these batch sizes, or of those the profiles were tuned for',
      list,
    )
    .option('--plugins <library>', 'a plugin library that the engine needs; may be repeated', repeated)
    .option('--library <path>', 'TensorRT library to load the engine with, if its file has no metadata')
    .option('--json', 'print what was written as one JSON object')
    .action(withoutPlace(write));
  return addExamples(command, [
    ['node-tensorrt triton resnet50.engine -o models', 'then: tritonserver --model-repository=models'],
    [
      'node-tensorrt triton bert.engine -o models --instances 2 --cuda-graphs 1,8 --max-queue-delay 500',
      'two copies per GPU, with CUDA graphs for batches of 1 and 8',
    ],
    ['node-tensorrt triton detector.engine -o models --plugins libmy_plugins.so', 'with the library of its plugins'],
  ]);
}

async function write(path: string, given: TritonArguments): Promise<void> {
  const { output, modelVersion, json, ...options } = given;
  if (json) reserveOutput();
  const version = modelVersion === undefined ? {} : { version: modelVersion };
  const written = await writeTritonRepository(path, output, { ...options, ...version });
  if (json) return printJson(written);
  for (const file of written.files) print(escapeForTerminal(file));
  for (const one of written.notes) print(`note: ${escapeForTerminal(one)}`);
  print(escapeForTerminal(['tritonserver', `--model-repository=${output}`, ...written.serverOptions].join(' ')));
}
