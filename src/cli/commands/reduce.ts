import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import {
  compareModels,
  type Network,
  type Profile,
  saveSafetensors,
  TensorRTError,
  toTypeScript,
} from '../../index.js';
import { type ReduceProgress, reduceNetwork } from '../../reduce/reduce-network.js';
import { writeFileWhole } from '../../write-file.js';
import { type Dims, parseDims, profilesOf, sizesOf } from '../shared/dims.js';
import { addExamples, interruption, refuseArgument } from '../shared/exit.js';
import { loadNetwork, parseSet } from '../shared/model-file.js';
import { note, print, printJson, reserveOutput } from '../shared/output.js';

interface Options {
  check: string;
  output?: string;
  set?: Record<string, string>;
  dims?: Dims;
  limit?: number;
  timeout?: number;
  json?: boolean;
}

type Fails = (candidate: Network) => Promise<boolean>;

const parseCount = (text: string): number => {
  const count = Number(text);
  return Number.isSafeInteger(count) && count >= 1 ? count : refuseArgument('a whole number from 1', text);
};

/** Writes a network as TypeScript, its weights beside it. Returns the paths. */
async function write(net: Network, path: string): Promise<string[]> {
  const weightsFile = `${basename(path).replace(/\.[cm]?ts$/, '')}.safetensors`;
  const { code, weights } = toTypeScript(net, { path, weightsFile });
  const beside = join(dirname(path), weightsFile);
  if (weights.size > 0) await saveSafetensors(beside, weights);
  await writeFileWhole(path, (append) => append(Buffer.from(code)));
  return weights.size > 0 ? [path, beside] : [path];
}

/** What TensorRT says of a network. Other errors, such as that of a library that is missing, come with every network. */
const ofNetworks = [
  'ERR_LAYER',
  'ERR_UNSUPPORTED',
  'ERR_INFERENCE',
  'ERR_BUILD_FAILED',
  'ERR_TENSORRT_CRASHED',
  'ERR_READ_BACK',
];

/** A failure as it is recognised: the code of the error, and the kind of the layer at fault. */
const kindOf = ({ code, kind, layers }: TensorRTError): string => `${code} ${kind ?? layers?.[0]?.kind ?? ''}`;

/** Whether the build fails as that of the whole network does. */
function failsToBuild(dims: Dims | undefined, signal: AbortSignal): Fails {
  let wanted: string | undefined;
  return async (net) => {
    try {
      using _ = await net.build({
        isolate: true,
        profiles: profilesOf(dimsIn(net, dims), undefined) as Profile[],
        signal,
      });
      return false;
    } catch (error) {
      if (!(error instanceof TensorRTError) || !ofNetworks.includes(error.code)) throw error;
      if (wanted === undefined) note(error.message);
      wanted ??= kindOf(error);
      return kindOf(error) === wanted;
    }
  };
}

/** The dims that a network still has. */
function dimsIn(net: Network, dims: Dims | undefined): Dims | undefined {
  if (!dims) return undefined;
  const text = net.inputs.flatMap(({ name, shape }) => [name, ...shape.map(String)]).join(' ');
  return Object.fromEntries(Object.entries(dims).filter(([name]) => text.includes(name)));
}

/** Whether TensorRT and the CPU backend differ. */
function differs(dims: Dims | undefined): Fails {
  return async (net) => {
    const own = dimsIn(net, dims);
    const options = { profiles: profilesOf(own, undefined) };
    try {
      const sides = [
        { network: net, options: { ...options, backend: 'cpu' } },
        { network: net, options: { ...options, backend: 'tensorrt' } },
      ] as const;
      return !(await compareModels(...sides, { dims: sizesOf(own) })).agrees;
    } catch (error) {
      // What cannot be compared does not differ.
      if (error instanceof TensorRTError) return false;
      throw error;
    }
  };
}

/** Whether a command exits with 0. It gets the path of the candidate as its last argument, and as $NETWORK. */
function exitsWithZero(command: string, path: string, signal: AbortSignal): Fails {
  return async (net) => {
    await write(net, path);
    const child = spawn('/bin/sh', ['-c', `${command} "$NETWORK"`], {
      env: { ...process.env, NETWORK: path },
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
    });
    const end = () => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // It has ended.
      }
    };
    signal.addEventListener('abort', end);
    try {
      return await new Promise<boolean>((done, fail) => {
        child.on('error', fail);
        child.on('exit', (code) => done(code === 0));
      });
    } finally {
      signal.removeEventListener('abort', end);
    }
  };
}

async function reduce(model: string, given: Options): Promise<void> {
  const { check, output, set, dims, limit, timeout, json } = given;
  reserveOutput();
  const net = await loadNetwork(model, set);
  using interrupted = interruption();
  const { signal } = interrupted;
  // Beside the model, so that the candidate finds the same packages.
  const folder = join(dirname(resolve(model)), `.reduce-${process.pid}`);
  mkdirSync(folder);
  try {
    const fails =
      check === 'build'
        ? failsToBuild(dims, signal)
        : check === 'compare'
          ? differs(dims)
          : exitsWithZero(check, join(folder, 'network.ts'), signal);
    const report = progress();
    const result = await reduceNetwork(net, fails, {
      limit,
      timeout: timeout && timeout * 1000,
      signal,
      onProgress: report,
    });
    report();
    const { network: small, tried, layers, complete } = result;
    const files = output === undefined ? [] : await write(small, resolve(output));
    const { code } = toTypeScript(small, output === undefined ? {} : { path: resolve(output) });
    if (json) printJson({ layers: { before: layers[0], after: layers[1] }, tried, complete, files, code });
    else if (output === undefined) print(code);
    const end = complete ? '' : '; it was ended early';
    note(
      `${layers[0]} layers became ${layers[1]} in ${tried} checks${end}${files.map((file) => `\n${file}`).join('')}`,
    );
    if (signal.aborted) throw signal.reason;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Draws a line of progress, where standard error is a terminal. Without an argument, it ends the line. */
function progress(): (now?: ReduceProgress) => void {
  if (!process.stderr.isTTY) return () => {};
  return (now) => {
    const line = now ? `${now.tried} checks, ${now.layers} layers: ${now.step}` : '';
    process.stderr.write(`\r\u001b[K${line}`);
  };
}

/** `node-tensorrt reduce` */
export function reduceCommand(): Command {
  const command = new Command('reduce')
    .description('shrink a network that fails to a small one that still does, and print it as TypeScript')
    .argument('<model>', 'TypeScript or JavaScript whose default export is a network, or a function that returns one')
    .requiredOption(
      '--check <command>',
      'build: the build fails with the same code, at a layer of the same kind; compare: TensorRT and the CPU backend differ; or a ' +
        'command that exits with 0 for networks that fail. It gets the path of a TypeScript file, as last argument and as $NETWORK',
    )
    .option('-o, --output <file>', 'write the TypeScript here, and weights that are in no file beside it')
    .option('--set <name=value>', 'an option of the function; repeat it for more', parseSet)
    .option('--dims <name=min:opt:max>', 'sizes of dynamic dims, for build and compare', parseDims)
    .option('--limit <count>', 'most networks to check (default: 1000)', parseCount)
    .option('--timeout <seconds>', 'begin no other check after this time', parseCount)
    .option('--json', 'print layers, checks, files and the code as JSON')
    .action(reduce);
  return addExamples(command, [
    ['node-tensorrt reduce model.ts --check build -o small.ts', 'what TensorRT cannot build'],
    ['node-tensorrt reduce model.ts --check compare --dims batch=1:2:4', 'where the GPU differs from the CPU'],
    [
      "node-tensorrt reduce model.ts --check './fails.sh'",
      'while fails.sh exits with 0; Ctrl-C ends with the smallest so far',
    ],
  ]);
}
