// Writes like Shakespeare, as TensorRT's sampleCharRNN: npm run charrnn [-- --prime ROMEO --length 200 --top-k 5 --json]
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Feed, float32, int32, loadWeights, network } from 'node-tensorrt';

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

// Characters go in, the states of both layers go from call to call, the likeliest next characters come out.
const w = await loadWeights(file('charrnn.safetensors'));
const units = w.get('linear.weight').shape[1]!;
const net = network('charrnn');
const ids = net.input('ids', int32('n'));
const hidden = net.input('hidden', float32(2, units));
const cell = net.input('cell', float32(2, units));
const read = ids.embedding(w.layer('embedding')).lstm({ ...w.layer('lstm'), hidden, cell });
const logits = read.hidden.select(0, 1).linear(w.layer('linear')).output('logits');
const [best, next] = logits.topk(topK);
best.output('best');
next.output('next');
read.hidden.output('hidden_out');
read.cell.output('cell_out');

const longest = 256;
const model = await net.compile({ profiles: [{ n: [1, 1, longest] }], tf32: false });

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
  let unread = Int32Array.from(reference.start + prime, (character: string) => characters.indexOf(character));
  let state: Record<string, Feed> = { hidden: new Float32Array(2 * units), cell: new Float32Array(2 * units) };
  for (let written = 0; written < length; ) {
    const { best, next, hidden_out, cell_out } = await model.run({ ids: unread.slice(0, longest), ...state });
    state = { hidden: hidden_out!, cell: cell_out! };
    unread = unread.slice(longest);
    if (unread.length > 0) continue;
    const picked = pick(best!.toFloat32());
    unread = (next!.data as Int32Array).slice(picked, picked + 1);
    written++;
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
