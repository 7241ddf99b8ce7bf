// Writes on with GPT-2 on the GPU: node scripts/run.mjs tsx examples/gpt2/generate.ts [--full --float16 --cpu --in-place --length 128 --json]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type CompileOptions, type Engine, loadWeights, type Model, type Tensor, type Weights } from 'node-tensorrt';
import { Steps } from '../decode.js';
import { filesOf, type Precision } from '../run.js';
import { type CacheUpdate, decoder } from './decoder.js';
import type { Gpt2Config } from './network.js';

export interface GeneratorOptions extends Pick<CompileOptions, 'backend' | 'optimizationLevel'> {
  precision?: Precision | undefined;
  /** Tokens of a prompt and its continuation, together. Default 128. */
  length?: number | undefined;
  update?: CacheUpdate | undefined;
  /** Steps between two visits of the host. Default 8. */
  ahead?: number | undefined;
}

export interface GenerateOptions {
  /** Default: as many as there is room for. */
  maxTokens?: number | undefined;
  /** A token after which nothing is written. It is the last one. */
  endToken?: number | undefined;
}

/** Whether TensorRT writes to a cache that it reads. */
const writesInPlace = ({ library: { flavor, version } }: Engine): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return flavor !== 'rtx1' && (major > 10 || minor >= 15);
};

/** GPT-2 for one text at a time: a network that reads prompts, and one for steps. */
export class Generator {
  readonly prompt: Model;
  readonly step: Model;
  readonly length: number;
  readonly #vocabulary: number;
  /** Of a step. */
  readonly #inputs: readonly Tensor[];
  readonly #steps: Steps | undefined;
  #isBusy = false;

  private constructor(
    { prompt, step }: { prompt: Model; step: Model },
    inputs: readonly Tensor[],
    sizes: { length: number; vocabulary: number },
    steps: Steps | undefined,
  ) {
    this.prompt = prompt;
    this.step = step;
    this.length = sizes.length;
    this.#vocabulary = sizes.vocabulary;
    this.#inputs = inputs;
    this.#steps = steps;
  }

  static async load(weights: Weights, config: Gpt2Config, options: GeneratorOptions = {}): Promise<Generator> {
    const { precision = 'float32', length = 128, update = 'select', ahead = 8, ...others } = options;
    const network = (tokens: number | string) => decoder(weights, config, precision, { length, tokens, update });
    const compile = { ...others, tf32: false };
    const prompt = await network('tokens').compile({
      ...compile,
      profiles: [{ tokens: [1, Math.min(16, length - 1), length - 1] }],
    });
    const ofStep = network(1);
    const step = await ofStep.compile(compile);
    const inPlace = (input: string) =>
      update === 'in-place' && input.startsWith('cache.') && writesInPlace(step.engine!);
    const steps = step.backend === 'tensorrt' ? await Steps.of(step.engine!, ahead, inPlace) : undefined;
    const [vocabulary] = weights.get('transformer.wte.weight').shape as [number];
    return new Generator({ prompt, step }, ofStep.inputs, { length, vocabulary }, steps);
  }

  /** Gives the likeliest token, then the likeliest after that one, and so on. */
  async *generate(prompt: readonly number[], options: GenerateOptions = {}): AsyncGenerator<number> {
    const room = this.length - prompt.length;
    const { maxTokens = room, endToken } = options;
    if (prompt.length === 0 || !prompt.every((id) => Number.isInteger(id) && id >= 0 && id < this.#vocabulary))
      throw new RangeError(`prompt: expected whole numbers from 0 to ${this.#vocabulary - 1}, given [${prompt}]`);
    if (!Number.isInteger(maxTokens) || maxTokens < 1 || maxTokens > room)
      throw new RangeError(`maxTokens: expected a whole number from 1 to ${room}, given ${maxTokens}`);
    if (this.#isBusy) throw new Error('expected one text at a time: finish or return the one before');
    this.#isBusy = true;
    try {
      for await (const token of this.#steps
        ? this.#onGpu(prompt, maxTokens, this.#steps)
        : this.#onCpu(prompt, maxTokens)) {
        yield token;
        if (token === endToken) return;
      }
    } finally {
      this.#isBusy = false;
    }
  }

  /** Nothing but tokens leaves the GPU. */
  async *#onGpu(prompt: readonly number[], maxTokens: number, steps: Steps): AsyncGenerator<number> {
    const first = { tokens: { shape: [1, prompt.length], data: Int32Array.from(prompt) }, position: Int32Array.of(0) };
    await this.prompt.run({ ...steps.before, ...first }, { outputs: steps.start });
    let at = prompt.length;
    for await (const { done, data } of steps.run(maxTokens - 1, 'written'))
      for (; at <= prompt.length + done; at++) yield data[at] as number;
  }

  async *#onCpu(prompt: readonly number[], maxTokens: number): AsyncGenerator<number> {
    const zeros = this.#inputs.map(({ name, dtype, shape }) => {
      const count = (shape as number[]).reduce((a, b) => a * b, 1);
      return [name, dtype === 'int32' ? new Int32Array(count) : new Float32Array(count)] as const;
    });
    const first = { tokens: { shape: [1, prompt.length], data: Int32Array.from(prompt) } };
    let results = await this.prompt.run({ ...Object.fromEntries(zeros), ...first });
    for (let written = 1; ; written++) {
      yield results['next.tokens']!.data[0] as number;
      if (written === maxTokens) return;
      const feeds = this.#inputs.map(({ name }) => [name, results[`next.${name}`]!] as const);
      results = await this.step.run(Object.fromEntries(feeds));
    }
  }

  dispose(): void {
    this.#steps?.dispose();
    this.prompt.dispose();
    this.step.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

async function main(): Promise<void> {
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    options: {
      full: flag,
      float16: flag,
      cpu: flag,
      'in-place': flag,
      json: flag,
      length: { type: 'string', default: '64' },
      'max-tokens': { type: 'string' },
      prompt: { type: 'string', default: '1,2,3' },
    },
  });
  using weights = await loadWeights(filesOf('gpt2', values.full).weights);
  const config = JSON.parse(weights.metadata.get('config')!) as Gpt2Config;
  using generator = await Generator.load(weights, config, {
    precision: values.float16 ? 'float16' : 'float32',
    length: Number(values.length),
    update: values['in-place'] ? 'in-place' : 'select',
    backend: values.cpu ? 'cpu' : 'auto',
  });
  const prompt = values.prompt.split(',').map(Number);
  const maxTokens = values['max-tokens'] === undefined ? undefined : Number(values['max-tokens']);
  const write = async () => {
    const started = performance.now();
    const tokens: number[] = [];
    for await (const token of generator.generate(prompt, { maxTokens })) tokens.push(token);
    return { tokens, perSecond: Math.round((tokens.length / (performance.now() - started)) * 1000) };
  };
  await write(); // the first run makes contexts
  const { tokens, perSecond } = await write();
  const { backend } = generator.step;
  console.log(`${tokens.join(' ')}\n${tokens.length} tokens on ${backend}, ${perSecond} per second.`);
  if (values.json) console.log(JSON.stringify({ backend, tokens, tokensPerSecond: perSecond }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
