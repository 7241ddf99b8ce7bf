import { basename } from 'node:path';
import { Command } from 'commander';
import type { Network } from '../../dsl/network.js';
import type { BuildOptions } from '../../tensorrt/compile/options.js';
import { addBuildFlags, buildOptionsOf } from '../shared/build-flags.js';
import { type Dims, inFlags, parseDims, parseProfile, profilesOf } from '../shared/dims.js';
import { addExamples, interruption } from '../shared/exit.js';
import { loadNetwork, parseSet } from '../shared/model-file.js';
import { errorColors, escapeForTerminal, note, print, printJson, size } from '../shared/output.js';
import { buildBars, elapsedText } from '../shared/progress.js';
import { isContainer, requireSavable, saveEngine } from '../shared/save-engine.js';

interface Flags extends Record<string, unknown> {
  output?: string;
  set?: Record<string, string>;
  dims?: Dims;
  profile?: Dims[];
  json?: boolean;
}

/** `--set`, `--dims`, `--profile` and the build options: what commands that build a network take. */
export function addModelFlags(command: Command): Command {
  return command
    .option('--set <name=value>', "pass an option to the model's function, as JSON or text; may be repeated", parseSet)
    .option(
      '--dims <name=min:opt:max,…>',
      'ranges or sizes of dynamic dims, such as batch=1:8:64; may be repeated',
      parseDims,
    );
}

/** The options for a build: those of the flags; isolated, unless they say otherwise. */
export function modelBuildOptions(flags: Flags): BuildOptions {
  const profiles = profilesOf(flags.dims, flags.profile);
  return { isolate: true, ...buildOptionsOf(flags), ...(profiles && { profiles }) };
}

/** Warnings of TensorRT about a network, without its chatter. */
export function logTo({ inputs }: Network, json: boolean | undefined): NonNullable<BuildOptions['onLog']> {
  return ({ severity, message }) => {
    if (json && severity !== 'error' && severity !== 'internal_error') return;
    if (severity === 'info' || severity === 'verbose') return;
    const paint = severity === 'warning' ? errorColors.yellow : errorColors.red;
    note(`${paint(`${severity.replace('_', ' ')}:`)} ${escapeForTerminal(inFlags(message, inputs))}`);
  };
}

async function build(model: string, flags: Flags): Promise<void> {
  const output = flags.output ?? `${basename(model).replace(/\.[cm]?[jt]sx?$/, '')}.engine`;
  await requireSavable(output);
  const network = await loadNetwork(model, flags.set);
  using interrupt = interruption();
  using bars = buildBars();
  const began = Date.now();
  const { onProgress } = bars;
  const warnings: string[] = [];
  const show = logTo(network, flags.json);
  using engine = await network.build({
    ...modelBuildOptions(flags),
    signal: interrupt.signal,
    onLog(line) {
      if (line.severity === 'warning') warnings.push(line.message);
      // Beside bars, a line would be drawn over.
      if (!onProgress) show(line);
    },
    ...(onProgress && { onProgress }),
  });
  bars[Symbol.dispose]();
  if (onProgress && !flags.json) for (const message of warnings) show({ severity: 'warning', message });
  interrupt.signal.throwIfAborted();
  await saveEngine(engine, output);
  const milliseconds = Date.now() - began;
  const { library, inputs, outputs } = engine;
  if (flags.json) {
    printJson({
      output,
      container: isContainer(output),
      bytes: engine.size,
      network: network.name,
      library,
      inputs,
      outputs,
      milliseconds,
      buildMs: engine.buildMs,
      warnings: engine.log.map((message) => inFlags(message, network.inputs)),
    });
    return;
  }
  const made = `TensorRT ${library.version} (${library.flavor})`;
  print(`${escapeForTerminal(output)}: ${size(engine.size)}, ${made}, ${elapsedText(milliseconds)}`);
}

/** `node-tensorrt build model.ts -o model.engine` */
export function buildCommand(): Command {
  const command = new Command('build')
    .description('build an engine of a network that a module exports')
    .argument(
      '<model>',
      'a JavaScript or TypeScript module; its default export is a Network, or a function of options that returns one',
    )
    .option(
      '-o, --output <file>',
      "the engine; default: the model's name with .engine, which has metadata. Another ending gives TensorRT's own plan",
    );
  addModelFlags(command)
    .option(
      '--profile <name=min:opt:max,…>',
      'an optimization profile, with the dims of --dims; may be repeated',
      parseProfile,
    )
    .option('--json', 'print the result as one JSON object');
  addBuildFlags(command).action(build);
  return addExamples(command, [
    ['node-tensorrt build lenet.ts', 'builds lenet.engine, in a process of its own'],
    [
      'node-tensorrt build resnet.ts --set size=224 --dims batch=1:8:64 -o resnet.engine',
      'a model with options, and a dynamic dim',
    ],
    ['node-tensorrt build bert.ts --profile batch=1,tokens=1:64:128 --profile batch=1:8:32,tokens=128', 'two profiles'],
    [
      'node-tensorrt build gpt2.ts --no-tf32 --workspace 4GiB --optimization-level 5 -o gpt2.plan',
      "options of TensorRT's builder, and a plain plan",
    ],
  ]);
}
