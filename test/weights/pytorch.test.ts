import { readFileSync } from 'node:fs';
import { unzipSync, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { loadWeights, parseWeights, type Weights } from '../../src/weights/index.js';
import { contents, failure, fixture, fixtureBytes } from './helpers.js';

interface Reference {
  tensors: Record<string, { dtype: string; shape: number[]; hex: string }>;
  /** Tensors that PyTorch reads and TensorRT has no dtype for. */
  refused?: string[];
}
const json = (name: string): unknown => JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8'));
/** What PyTorch 2.5.1 says; see fixtures/torch2.py. */
const torch2 = json('expected-torch2.json') as {
  files: Record<string, Reference>;
  records: [Record<string, string | null>, boolean][];
};
/** What PyTorch 1.13 reads from files in the format before 1.6; see fixtures/legacy.py. */
const legacy = json('expected-legacy.json') as Record<string, Reference>;
const references = Object.entries({ ...torch2.files, ...legacy });

const readable = (weights: Weights): string[] =>
  weights.names().filter((name) => weights.info(name).dtype !== undefined);

test.each(references)('%s reads as PyTorch reads it', async (name, { tensors, refused = [] }) => {
  using weights = await loadWeights(fixture(name));
  expect(new Set(weights.names())).toEqual(new Set([...Object.keys(tensors), ...refused]));
  expect(readable(weights).sort()).toEqual(Object.keys(tensors).sort());
  using memory = await parseWeights(fixtureBytes(name), name);
  for (const of of [weights, memory]) {
    expect(contents(of.rename((n) => (refused.includes(n) ? undefined : n)))).toEqual(tensors);
  }
});

test('tensors that no dtype here can hold are listed, and get says what to do', async () => {
  using weights = await loadWeights(fixture('torch2_training.pt'));
  const cases: Record<string, [RegExp, number[], number | undefined]> = {
    sparse: [/is a sparse tensor; save its \.to_dense\(\)/, [3, 3], undefined],
    quantized: [/is a quantized tensor; save its \.dequantize\(\)/, [4], undefined],
    meta: [/is a tensor of the meta device, which has no elements/, [3], undefined],
    fnuz: [/has dtype torch\.float8_e4m3fnuz, which TensorRT cannot take/, [3, 4], 12],
    complex32: [/has dtype torch\.complex32/, [3], 12],
    complex: [/has dtype torch\.ComplexFloatStorage/, [3], 24],
    neg: [/is a tensor with neg pending; save its \.resolve_neg\(\)/, [3], 12],
    conj: [/is a tensor with conj pending; save its \.resolve_conj\(\)/, [2], 16],
  };
  expect(Object.keys(cases).map((name) => `special.${name}`)).toEqual(torch2.files['torch2_training.pt']!.refused);
  for (const [name, [message, shape, byteLength]] of Object.entries(cases)) {
    const { dtype, ...info } = weights.info(`special.${name}`);
    expect([dtype, info.shape, info.byteLength], name).toEqual([undefined, shape, byteLength]);
    const error = await failure(() => weights.get(`special.${name}`));
    expect(error.code).toBe('ERR_WEIGHTS_DTYPE');
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`special.${name} of ${fixture('torch2_training.pt')}`);
    expect(error.source?.file).toBe(import.meta.filename);
  }
});

test('objects of other classes are named when something at or below them is asked for', async () => {
  using weights = await loadWeights(fixture('torch2_training.pt'));
  const cases: [string, RegExp][] = [
    [
      'args',
      /'args' of .* is an object made by argparse\.Namespace, which only its own code could read; nothing was run/,
    ],
    ['args.lr', /'args' of .* argparse\.Namespace.*torch\.save\(checkpoint\['state_dict'\]/],
    ['best', /numpy\.core\.multiarray\.scalar/],
    ['array', /numpy\.core\.multiarray\._reconstruct/],
    ['config', /__main__\.Config/],
    ['path', /pathlib\.PurePosixPath/],
    [
      'model.fc.weight',
      /'model' of .* is a whole model \(torch\.nn\.modules\.container\.Sequential\).*\["model"\]\.state_dict\(\)/,
    ],
  ];
  for (const [name, message] of cases) {
    for (const ask of [() => weights.get(name), () => weights.layer(name), () => weights.scope(name)]) {
      const error = await failure(ask);
      expect(error.code).toBe('ERR_WEIGHTS_NAME');
      expect(error.message).toMatch(message);
    }
    expect(weights.has(name)).toBe(false);
  }
  // What is no object at all is simply not there.
  expect((await failure(() => weights.get('frozen'))).message).toMatch(/has no tensor 'frozen'/);
  expect((await failure(() => weights.get('epoch'))).message).toMatch(/has no tensor 'epoch'/);
});

test.each(['whole_model.pt', 'torch2_module.pt', 'legacy_module.pt'])('%s: a whole model', async (name) => {
  const error = await failure(() => loadWeights(fixture(name)));
  expect(error.code).toBe('ERR_WEIGHTS_FORMAT');
  expect(error.message).toMatch(/is a whole model \(torch\.nn\.modules\.container\.Sequential\)/);
  expect(error.message).toContain("torch.save(checkpoint.state_dict(), 'weights.pt')");
});

test('a checkpoint with nothing but a whole model in it', async () => {
  const error = await failure(() => loadWeights(fixture('torch2_nested_module.pt')));
  expect(error.message).toMatch(/holds no tensors, but at "ema" a whole model/);
  expect(error.message).toContain(`torch.save(checkpoint["ema"].state_dict(), 'weights.pt')`);
});

test.each(torch2.records)('record %j: PyTorch takes it: %j', async (changes, accepted) => {
  const zip = unzipSync(fixtureBytes('torch2_values.pt'));
  for (const [record, text] of Object.entries(changes)) {
    const name = `torch2_values/${record}`;
    delete zip[name];
    if (text !== null) zip[name] = new Uint8Array(Buffer.from(text));
  }
  const open = () => parseWeights(zipSync(zip, { level: 0 }), 'x');
  if (!accepted) {
    expect((await failure(open)).message).toMatch(/^x: (is of version|has byte order|has no version record)/);
    return;
  }
  using weights = await open();
  expect(contents(weights)).toEqual(torch2.files['torch2_values.pt']!.tensors);
});

test('big-endian elements in bare bytes, which PyTorch does not swap, are refused', async () => {
  const zip = unzipSync(fixtureBytes('torch2_values.pt'));
  zip['torch2_values/byteorder'] = new Uint8Array(Buffer.from('big'));
  using weights = await parseWeights(zipSync(zip, { level: 0 }), 'x');
  expect((await failure(() => weights.get('uint16'))).message).toMatch(/big-endian elements in bare bytes/);
  expect(weights.get('e4m3').bytes.length).toBe(12);
  expect(Buffer.from(weights.get('scalar').bytes).toString('hex')).toBe('40200000');
});

// ---- the format before 1.6 ----

const state = fixtureBytes('legacy_state_dict.pt');
const text = Buffer.from(state).toString('latin1');

async function refused(bytes: Uint8Array): Promise<string> {
  const error = await failure(async () => {
    using weights = await parseWeights(bytes, 'hostile');
    for (const name of weights.names()) weights.get(name).data;
  });
  expect(error.code).toBe('ERR_WEIGHTS_FORMAT');
  return error.message;
}
const latin1 = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'));
const begins = '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.';

test('legacy: what is not as PyTorch wrote it', async () => {
  expect(text.startsWith(begins)).toBe(true);
  const cases: [string, RegExp][] = [
    [text.replace('M\xe9\x03.', 'M\xea\x03.'), /protocol version is 1002, expected 1001/],
    [text.replace('P\x19.', 'P\x19N.'), /its magic number is not that/],
    [`${begins}N.`, /system information is not a dictionary/],
    [`${begins}}.`, /its pickle is malformed.*ends before STOP/],
    [`${begins}}.}.N.`, /storages are not a list/],
    [`${begins}}.}.]X\x01\0\0\0aa.`, /names one twice, or one that its pickle does not/],
    [`${begins}}.cos\nsystem\nX\x04\0\0\0true\x85R.].`, /an object made by os\.system.*nothing was run/],
    [`${begins}cos\nsystem\n.}.].`, /system information is not a dictionary/],
    [`${begins}}.}.cos\nsystem\nX\x04\0\0\0true\x85R.`, /storages are not a list/],
    [text.slice(0, -1), /ends at byte \d+, the file has/],
    [text.slice(0, -8), /ends at byte \d+, the file has/],
  ];
  for (const [bytes, message] of cases) expect(await refused(latin1(bytes))).toMatch(message);
});

test('legacy: counts of elements that lie', async () => {
  const at = Buffer.from(state).indexOf(Buffer.from([54, 0, 0, 0, 0, 0, 0, 0])); // of conv.weight
  for (const count of [1n, 55n, -2n, 2n ** 62n]) {
    const bytes = Buffer.from(state);
    bytes.writeBigInt64LE(count, at);
    expect(await refused(new Uint8Array(bytes))).toMatch(`should have 54 elements, the file has ${count}`);
  }
});

test('legacy: any cut is refused', async () => {
  for (let length = 16; length < state.length; length += 7) await refused(state.slice(0, length));
});
