// Writes like Shakespeare, as TensorRT's sampleCharRNN: npm run charrnn [-- --prime ROMEO --length 200 --top-k 5 --json]
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Feed, loadWeights, type Result } from 'node-tensorrt';
import { Steps } from '../decode.js';
import { reader, stepper } from './network.js';

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const reference = JSON.parse(readFileSync(file('reference.json'), 'utf8'));
const characters: string[] = [...reference.vocabulary];
const continuations: { prime: string; text: string }[] = reference.continuations;

function refuse(why: string): never {
  console.error(`charrnn: ${why}`);
  process.exit(1);
}

function readArgs() {
  const options = {
    prime: { type: 'string', default: 'ROMEO' },
    length: { type: 'string', default: '200' },
    'top-k': { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse((error as Error).message.split('\n', 1)[0]!);
  }
}

function wholeNumber(option: string, given: string, least: number, most: number): number {
  if (/^\d+$/.test(given) && Number(given) >= least && Number(given) <= most) return Number(given);
  return refuse(`--${option}: expected a whole number from ${least} to ${most}, given '${given}'`);
}

const args = readArgs();
const length = wholeNumber('length', args.length, 0, 1_000_000);
const topK = wholeNumber('top-k', args['top-k'], 1, characters.length);
const unknown = [...args.prime].find((character) => !characters.includes(character));
if (unknown !== undefined)
  refuse(`--prime: expected characters of ${JSON.stringify(reference.vocabulary)}, given '${unknown}'`);

const w = await loadWeights(file('charrnn.safetensors'));
const units = w.get('linear.weight').shape[1]!;
const longest = 256;
const model = await reader(w, topK).compile({ profiles: [{ n: [1, 1, longest] }], tf32: false });

/** Characters between two visits of the host. */
const ahead = 64;
/** The likeliest characters are found on the GPU. */
const steps =
  model.backend === 'tensorrt' ? await Steps.of(await stepper(w, ahead).build({ tf32: false }), ahead) : undefined;

type Pick = (logits: Float32Array) => number;
const greedy: Pick = () => 0;
/** Each of the likeliest as often as the model says. */
const sample: Pick = (logits) => {
  const odds = logits.map((x) => Math.exp(x - logits[0]!));
  const dart = Math.random() * odds.reduce((sum, x) => sum + x);
  let reached = 0;
  return odds.findIndex((x) => {
    reached += x;
    return reached > dart;
  });
};

async function* write(prime: string, length: number, pick: Pick): AsyncGenerator<string> {
  let state: Record<string, Feed> = { hidden: new Float32Array(2 * units), cell: new Float32Array(2 * units) };
  const carry = (results: Record<string, Result>) => {
    state = { hidden: results['next.hidden']!, cell: results['next.cell']! };
    return results;
  };
  let unread = Int32Array.from(reference.start + prime, (character: string) => characters.indexOf(character));
  for (; unread.length > longest; unread = unread.slice(longest))
    carry(await model.run({ ids: unread.slice(0, longest), ...state }));
  if (steps && topK === 1) {
    const { 'next.slot': slot, 'next.written': _, ...outputs } = steps.start;
    await slot!.upload(Int32Array.of(0));
    await model.run({ ids: unread, ...state }, { outputs });
    let written = 0;
    for await (const { done, data } of steps.run(length, 'written'))
      for (; written < done; written++) yield characters[data[written % ahead] as number]!;
    return;
  }
  for (let written = 0; written < length; written++) {
    const { best, 'next.ids': next } = carry(await model.run({ ids: unread, ...state }));
    const picked = pick(best!.toFloat32());
    unread = (next!.data as Int32Array).slice(picked, picked + 1);
    yield characters[unread[0]!]!;
  }
}

let text = '';
const started = performance.now();
process.stdout.write(args.prime);
for await (const character of write(args.prime, length, topK > 1 ? sample : greedy)) {
  text += character;
  process.stdout.write(character);
}
const charsPerSecond = Math.round((text.length / (performance.now() - started)) * 1000);
console.log(`\n\n${charsPerSecond} characters per second on ${model.backend}.`);

if (args.json) {
  let matchesPyTorch = true;
  for (const { prime, text } of continuations) {
    let written = '';
    for await (const character of write(prime, text.length, greedy)) written += character;
    matchesPyTorch &&= written === text;
  }
  const { backend, engine } = model;
  console.log(JSON.stringify({ backend, text, matchesPyTorch, charsPerSecond, engineBytes: engine?.size ?? null }));
}
