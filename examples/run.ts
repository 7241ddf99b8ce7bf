// Runs a ported model beside the outputs that its reference implementation gave. Shared by the examples and their tests.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  type CompileOptions,
  findTensorRT,
  loadWeights,
  type Network,
  type Profile,
  type Result,
  type Weights,
} from 'node-tensorrt';

export type Precision = 'float32' | 'float16';

/** A model as an example describes it. */
export interface Port<Config> {
  /** Folder of the example. */
  name: string;
  /** Writes the network; floats are of the given precision, inputs and outputs too. */
  build(w: Weights, config: Config, precision: Precision): Network;
  /** The part of it that TensorRT-RTX can build, where that is not all. */
  rtx?: Port<Config>['build'];
  /** Parts of the checkpoint that it leaves out. */
  unused?: readonly string[];
  profiles?: readonly Profile[];
  /** Inputs that a run takes from the outputs of the run before, where the reference has none stored. */
  carried?(input: string): string;
}

export interface RunOptions extends Pick<CompileOptions, 'backend' | 'optimizationLevel'> {
  precision?: Precision;
  /** The real size, from the cache, where `reference.py --full` wrote it. */
  full?: boolean;
}

export interface Report {
  model: string;
  precision: Precision;
  full: boolean;
  backend: 'tensorrt' | 'cpu';
  tensorrt?: { flavor: string; version: string };
  engineBytes?: number;
  buildMs?: number;
  /** By run and output: the largest difference to the reference over the root mean square of the reference; of integers 0 or infinite. */
  differences: Record<string, number>;
  maxRelative: number;
  /** The same between the reference and itself with its items exchanged: what a wrong answer would give. */
  unlike: Record<string, number>;
}

/** Where the files of an example are. */
export function filesOf(name: string, full = false): { weights: string; reference: string } {
  const cache =
    process.env.NODE_TENSORRT_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'node-tensorrt');
  const folder = full ? join(cache, 'models', name) : fileURLToPath(new URL(name, import.meta.url));
  return { weights: join(folder, 'weights.safetensors'), reference: join(folder, 'reference.safetensors') };
}

/** Largest difference over the root mean square of what was expected. */
export function difference(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  let squares = 0;
  for (let i = 0; i < expected.length; i++) {
    most = Math.max(most, Math.abs(actual[i]! - expected[i]!));
    squares += expected[i]! ** 2;
  }
  return most / Math.sqrt(squares / expected.length);
}

/**
 * Builds the network, runs all that the reference has, and compares every output. Every weight must be used, and every
 * stored tensor must be an input or an output.
 */
export async function evaluate<Config>(port: Port<Config>, options: RunOptions = {}): Promise<Report> {
  const { precision = 'float32', full = false, backend = 'auto', optimizationLevel } = options;
  const files = filesOf(port.name, full);
  using w = await loadWeights(files.weights);
  using reference = await loadWeights(files.reference);
  const config = JSON.parse((w.metadata.get('config') ?? reference.metadata.get('config'))!) as Config;
  const net = port.build(w, config, precision);
  w.strict(undefined, { ignore: port.unused });
  const found = await findTensorRT();
  const inPart =
    port.rtx &&
    backend === 'auto' &&
    (process.env.NODE_TENSORRT_LIBRARY === 'rtx1' ||
      !found.some(({ flavor, usableFor }) => usableFor.run && flavor !== 'rtx1'));
  const buildOptions = { profiles: port.profiles, tf32: false, optimizationLevel };
  using model = await net.compile({ ...buildOptions, backend: inPart ? 'cpu' : backend });
  using part = inPart && found.length > 0 ? await port.rtx!(w, config, precision).build(buildOptions) : null;

  const differences: Record<string, number> = {};
  const unlike: Record<string, number> = {};
  let previous: Record<string, Result> = {};
  for (const run of JSON.parse(reference.metadata.get('runs')!) as string[]) {
    const feeds = net.inputs.map(({ name, dtype }) => {
      const stored = `${run}.${name}`;
      if (!reference.has(stored)) return [name, previous[port.carried!(name)]!] as const;
      return [name, reference.get(stored).as(dtype as Precision)] as const;
    });
    const results = await model.run(Object.fromEntries(feeds));
    for (const [name, result] of Object.entries(results)) {
      const expected = reference.get(`${run}.${name}`, { shape: result.shape }).toFloat32();
      const relative = difference(result.toFloat32(), expected);
      differences[`${run}.${name}`] = result.dtype === 'int32' && relative > 0 ? Number.POSITIVE_INFINITY : relative;
      // The reference itself, rotated by an item of the first axis.
      const item = expected.length / (result.shape[0] ?? 1);
      const rotated = Float32Array.from(expected, (_, i) => expected[(i + item) % expected.length]!);
      unlike[`${run}.${name}`] = difference(rotated, expected);
    }
    previous = results;
  }
  reference.strict();
  const engine = model.engine ?? part;
  return {
    model: port.name,
    precision,
    full,
    backend: model.backend,
    tensorrt: engine ? { flavor: engine.library.flavor, version: engine.library.version } : undefined,
    engineBytes: engine?.size,
    buildMs: engine?.buildMs && Math.round(engine.buildMs),
    differences,
    maxRelative: Math.max(...Object.values(differences)),
    unlike,
  };
}

/** The main program of an example: `[--full] [--float16] [--cpu] [--optimization-level 0-5] [--json]`. */
export async function main<Config>(port: Port<Config>): Promise<void> {
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    options: { full: flag, float16: flag, cpu: flag, json: flag, 'optimization-level': { type: 'string' } },
  });
  const level = values['optimization-level'];
  const report = await evaluate(port, {
    precision: values.float16 ? 'float16' : 'float32',
    full: values.full,
    backend: values.cpu ? 'cpu' : 'auto',
    optimizationLevel: level === undefined ? undefined : Number(level),
  });
  const { model, precision, backend, tensorrt, engineBytes, buildMs } = report;
  for (const [name, value] of Object.entries(report.differences)) console.log(`${name}: ${value.toExponential(1)}`);
  console.log(
    `${model} in ${precision} on ${backend}: at most ${report.maxRelative.toExponential(1)} from PyTorch, relative.`,
  );
  if (tensorrt) console.log(`Engine: ${engineBytes} bytes in ${buildMs} ms by ${tensorrt.flavor} ${tensorrt.version}.`);
  if (values.json) console.log(JSON.stringify(report));
}
