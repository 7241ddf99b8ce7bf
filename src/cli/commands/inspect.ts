import { Command, InvalidArgumentError } from 'commander';
import { diffEngines } from '../../tensorrt/describe/diff.js';
import { type Dims, parseDims } from '../shared/dims.js';
import { addExamples, exitCodes, UsageError } from '../shared/exit.js';
import { inputHelp, parseInput } from '../shared/inputs.js';
import { factsOf, type Inspected, inspectFile } from '../shared/inspected.js';
import { diffText, inspectedText } from '../shared/inspected-text.js';
import { parseSet } from '../shared/model-file.js';
import { print, printJson, reserveOutput, withoutPlace } from '../shared/output.js';

interface InspectArguments {
  times?: boolean;
  input?: string[];
  dims?: Dims;
  set?: Record<string, string>;
  library?: string;
  device?: number;
  json?: boolean;
}

const index = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected the index of a GPU.');
  return Number(text);
};

/** `node-tensorrt inspect x.engine [y.engine]` */
export function inspectCommand(): Command {
  const command = new Command('inspect')
    .description('show what is in an engine or a network; with two engines, how they differ')
    .argument(
      '<file>',
      'an engine; the .json that trtexec --exportLayerInfo of TensorRT 10 or 11 wrote; or a module of a network',
    )
    .argument('[other]', 'another engine, or its .json: fusions, kernels, precisions, size and times that differ')
    .option('--times', 'run engines and measure the time of each layer; needs a GPU')
    .option('--input <name=source>', `with --times: ${inputHelp}`, parseInput)
    .option(
      '--dims <name=size>',
      'with --times: sizes of dynamic dims; default: those the first profile was tuned for',
      parseDims,
    )
    .option('--set <name=value>', "an option of the network's module; may be repeated", parseSet)
    .option('--library <path>', 'TensorRT library or its folder, or a flavor')
    .option('--device <index>', 'GPU that loads engines', index)
    .option('--json', 'print what was found as one JSON object')
    .action(withoutPlace(inspect));
  return addExamples(
    command,
    [
      [
        'node-tensorrt inspect resnet50.engine',
        'layers, kernels, memory; detailed if it was built with --profiling-verbosity detailed',
      ],
      ['node-tensorrt inspect layers.json', "trtexec's, without any TensorRT"],
      ['node-tensorrt inspect old.engine new.engine --times', 'what TensorRT did otherwise, and what it costs'],
      ['node-tensorrt inspect model.ts --set layers=2', 'a network before it is built'],
    ],
    'two engines differ, or it failed',
  );
}

async function inspect(file: string, other: string | undefined, given: InspectArguments): Promise<void> {
  if (given.json) reserveOutput();
  const found = await inspectFile(file, given);
  if (other === undefined) {
    if (given.json) printJson(found);
    else print(inspectedText(found));
    return;
  }
  const theirs = await inspectFile(other, given);
  const difference = diffEngines(described(found), described(theirs));
  if (given.json) printJson({ a: file, b: other, ...difference });
  else print(diffText(file, other, difference));
  if (!difference.same) process.exitCode = exitCodes.failed;
}

function described(found: Inspected) {
  const facts = factsOf(found);
  if (facts) return facts;
  if (found.kind === 'network')
    throw new UsageError(`${found.file}: expected two engines; compare shows how two networks differ`);
  throw new UsageError(`${found.file}: its layers are not known: ${found.unread}`);
}
