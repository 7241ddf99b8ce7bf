import { Command, Option } from 'commander';
import type { Engine } from '../../tensorrt/run/engine.js';
import type { EngineIO } from '../../tensorrt/run/engine-io.js';
import type { Result } from '../../values/result.js';
import { saveSafetensors, type Weight, weight } from '../../weights/index.js';
import { addBuildFlags, wholeNumber } from '../shared/build-flags.js';
import { type Dims, sizesOf } from '../shared/dims.js';
import { addExamples, interruption, UsageError } from '../shared/exit.js';
import { inputHelp, parseInput, type ReadFeeds, readInputs } from '../shared/inputs.js';
import { loadNetwork } from '../shared/model-file.js';
import { figure, print, printJson, size, table } from '../shared/output.js';
import { buildBars } from '../shared/progress.js';
import { isModule } from '../shared/side.js';
import { addModelFlags, logTo, modelBuildOptions } from './build.js';

interface Flags extends Record<string, unknown> {
  input?: string[];
  output?: string;
  set?: Record<string, string>;
  dims?: Dims;
  backend?: 'auto' | 'tensorrt' | 'cpu';
  library?: string;
  device?: number;
  allowHostCode?: boolean;
  optimizationProfile?: number;
  json?: boolean;
}

/** What is measured or run, however it was given. */
interface Runnable extends Disposable {
  backend: 'tensorrt' | 'cpu';
  inputs: readonly EngineIO[];
  /** Sizes that `--dims` need not say. */
  sizes: Record<string, number>;
  run(feeds: ReadFeeds): Promise<Record<string, Result>>;
}

async function runnable(file: string, flags: Flags, signal: AbortSignal): Promise<Runnable> {
  if (!isModule(file)) return await engineOf(file, flags);
  refuseDevice(flags);
  const network = await loadNetwork(file, flags.set);
  using bars = buildBars();
  const { onProgress } = bars;
  const model = await network.compile({
    ...modelBuildOptions(flags),
    backend: flags.backend ?? 'auto',
    signal,
    onLog: logTo(network, flags.json),
    ...(onProgress && { onProgress }),
  });
  const inputs = model.engine?.inputs ?? network.inputs;
  return {
    backend: model.backend,
    inputs,
    sizes: {},
    run: (feeds) => model.run(feeds, { signal }),
    [Symbol.dispose]: () => model.dispose(),
  };
}

/** @throws UsageError for flags that are for modules */
async function engineOf(file: string, flags: Flags): Promise<Runnable> {
  if (flags.backend === 'cpu')
    throw new UsageError('--backend cpu: an engine runs on a GPU; give the model it was built from');
  if (flags.set) throw new UsageError('--set is for a module, and this is an engine');
  const engine = await openEngine(file, flags);
  const { tunedSizes } = await import('../../tensorrt/measure/measure.js');
  const context = await engine.createContext({ profile: flags.optimizationProfile ?? 0 });
  return {
    backend: 'tensorrt',
    inputs: engine.inputs,
    sizes: tunedSizes(context),
    run: (feeds) => context.run(feeds),
    [Symbol.dispose]: () => engine.dispose(),
  };
}

/** @throws UsageError */
export function refuseDevice({ device }: Pick<Flags, 'device'>): void {
  if (device) throw new UsageError('--device: a module is built and run on device 0; build an engine, and give that');
}

export async function openEngine(
  file: string,
  { library, device, allowHostCode }: Pick<Flags, 'library' | 'device' | 'allowHostCode'>,
): Promise<Engine> {
  const { loadEngine } = await import('../../tensorrt/run/load.js');
  return await loadEngine(file, { library, device, allowHostCode });
}

interface Summary {
  dtype: string;
  shape: readonly number[];
  min: number;
  max: number;
  mean: number;
  nan: number;
}

function summaryOf(result: Result): Summary {
  let [min, max, sum, nan] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  const values = result.toFloat32();
  for (const value of values) {
    if (Number.isNaN(value)) {
      nan++;
      continue;
    }
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  const { dtype, shape } = result;
  return { dtype, shape, min, max, mean: sum / (values.length - nan), nan };
}

async function run(file: string, flags: Flags): Promise<void> {
  if (flags.output !== undefined && !flags.output.endsWith('.safetensors'))
    throw new UsageError(`--output: expected a file that ends in .safetensors, given ${flags.output}`);
  using interrupt = interruption();
  using model = await runnable(file, flags, interrupt.signal);
  const feeds = await readInputs(flags.input ?? [], model.inputs, { ...model.sizes, ...sizesOf(flags.dims) });
  const began = performance.now();
  const results = await model.run(feeds);
  const milliseconds = performance.now() - began;
  interrupt.signal.throwIfAborted();
  let bytes = 0;
  if (flags.output !== undefined) {
    const tensors: Record<string, Weight> = {};
    for (const [name, { data, shape, dtype }] of Object.entries(results))
      tensors[name] = weight(data, shape, dtype, name);
    await saveSafetensors(flags.output, tensors);
    bytes = Object.values(tensors).reduce((sum, one) => sum + one.byteLength, 0);
  }
  const outputs = Object.fromEntries(Object.entries(results).map(([name, result]) => [name, summaryOf(result)]));
  const { backend } = model;
  if (flags.json)
    return printJson({
      backend,
      milliseconds,
      outputs,
      ...(flags.output !== undefined && { output: flags.output, bytes }),
    });
  const rows = Object.entries(outputs).map(([name, { dtype, shape, min, max, mean, nan }]) => [
    name,
    `${dtype} [${shape.join(', ')}]`,
    ...[min, max, mean].map(figure),
    nan,
  ]);
  print(table(['output', 'type', 'min', 'max', 'mean', 'NaN'], rows, { breaks: [0, 1], right: [2, 3, 4, 5] }));
  const where = backend === 'cpu' ? 'on the CPU' : 'on the GPU';
  print(
    `${figure(Number(milliseconds.toPrecision(3)))} ms ${where}${flags.output === undefined ? '' : `; ${flags.output}: ${size(bytes)}`}`,
  );
}

/** Flags of commands that open an engine or a model. */
export function addEngineFlags(command: Command): Command {
  return addModelFlags(command)
    .option('--input <name=source>', inputHelp, parseInput)
    .option('--device <index>', 'GPU that runs the engine', wholeNumber)
    .option('--allow-host-code', 'let the engine bring code that runs in this process; only for engines you trust')
    .addOption(
      new Option('--optimization-profile <index>', "index of the engine's optimization profile").argParser(Number),
    );
}

/** `node-tensorrt run lenet.engine --input data=digit.npy --output out.safetensors` */
export function runCommand(): Command {
  const command = new Command('run')
    .description('run an engine, or a network that a module exports, once')
    .argument('<file>', 'an engine, or a module as for build');
  addEngineFlags(command)
    .option('-o, --output <file>', 'write the outputs to a .safetensors file')
    .addOption(
      new Option('--backend <name>', 'where a module runs; auto takes the GPU if there is one').choices([
        'auto',
        'tensorrt',
        'cpu',
      ]),
    )
    .option('--json', 'print what came out as one JSON object');
  addBuildFlags(command).action(run);
  return addExamples(command, [
    [
      'node-tensorrt run lenet.engine --input data=digit.npy --output out.safetensors',
      'elements of numpy, outputs to a file',
    ],
    [
      'node-tensorrt run resnet.ts --set size=224 --input image=cat.png --backend cpu',
      'a picture, through onnxruntime',
    ],
    ['node-tensorrt run bert.engine --dims batch=1,tokens=64 --input random:7', 'random inputs of these sizes'],
    ['node-tensorrt run gpt2.engine --input ids=prompt.safetensors:ids', 'one tensor of a file'],
  ]);
}
