import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { unzipSync, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { TensorRTError } from '../../src/errors/error.js';
import { parseWeights } from '../../src/weights/index.js';
import { fixtureBytes } from './helpers.js';

// Changed files, and what the official Python readers said to each: see fixtures/mutants.py. What is accepted here
// must be accepted there, with the same names, dtypes, shapes and elements.

type Edit = [position: number, drop: number, insert: string];
type Row = [base: string, edits: Edit[], verdict: string | null];
const read = (group: string): Row[] =>
  JSON.parse(gunzipSync(readFileSync(new URL(`fixtures/${group}.json.gz`, import.meta.url))).toString());
const rows = ['mutants', 'mutants-torch1', 'mutants-torch2'].flatMap(read);

const concat = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

function apply(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  let out = bytes;
  for (const [at, drop, put] of edits) {
    out = concat(out.subarray(0, at), new Uint8Array(Buffer.from(put, 'hex')), out.subarray(at + drop));
  }
  return out;
}

function assemble(base: string, edits: readonly Edit[]): Uint8Array {
  const [file, member] = base.split(':') as [string, string?];
  if (member) {
    const zip = unzipSync(fixtureBytes(file));
    return zipSync({ ...zip, [member]: apply(zip[member]!, edits) }, { level: 0 });
  }
  const [name, part] = base.split('#') as [string, string?];
  const bytes = fixtureBytes(name);
  if (!part) return apply(bytes, edits);
  const end = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = apply(bytes.subarray(8, end), edits);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return concat(length, header, bytes.subarray(end));
}

/** Storage classes and dtypes that PyTorch has, and whose tensors are listed here but not read. */
const known = new Set([
  ...['ComplexFloat', 'ComplexDouble', 'QInt8', 'Float'].map((name) => `torch.${name}Storage`),
  ...['float32', 'complex32', 'float8_e4m3fnuz'].map((name) => `torch.${name}`),
]);

/** @returns also whether some tensor is of a type by a name that nobody knows: listed here, mostly refused by PyTorch. */
async function digest(bytes: Uint8Array): Promise<{ hash: string; unknown: boolean }> {
  let unknown = false;
  using weights = await parseWeights(bytes, 'mutant');
  const lines: Buffer[] = [];
  for (const name of weights.names()) {
    const info = weights.info(name);
    if (info.dtype === undefined) {
      unknown ||= !known.has(info.fileDType);
      continue;
    }
    const { dtype, shape, bytes: elements } = weights.get(name);
    lines.push(Buffer.from(`${name}|${dtype}|${shape.join(',')}|${Buffer.from(elements).toString('hex')}`));
  }
  lines.sort(Buffer.compare);
  const hash = createHash('sha256');
  for (const [i, line] of lines.entries()) hash.update(i ? '\n' : '').update(line);
  return { hash: hash.digest('hex').slice(0, 16), unknown };
}

/** Where this package is stricter than the official readers, on purpose; docs/weights.md lists the same. */
const stricter: readonly RegExp[] = [
  // npy, npz
  /after its header$|its header promises/, // bytes after the elements
  /has dtype '[a<>|=].*'; expected/, // dtypes not spelled as NumPy writes them
  /unexpected end of file/, // deflated data without its end mark
  // safetensors
  /has shape \[0,"?\d{17,}"?\]/, // dims above 2^53
  // PyTorch
  /storage \d+ should have \d+ bytes/,
  /storage \d+ is torch\.\w+ and torch\.\w+, or of two sizes/, // the first wins in PyTorch
  /a persistent id that is not a storage/, // keys that are not strings
  /is the name \S+ and holds no tensors/,
  /storage "[^"]*", which is not in the file/, // before 1.6, PyTorch gives whatever lies in fresh memory
  /opcode 0x32 is not allowed/,
  /it calls something that is not a global/, // the stand-ins of mutants.py can be called
  /calls \S+ with arguments that make no sense/, // backward hooks that are not a dictionary
  /is of version ".*\D+.*"; expected 1 to 10/, // PyTorch reads a number at the beginning
  /storage \S+ should have \d+ elements, the file has/, // PyTorch resizes it
  /data\.pkl" is damaged: its CRC-32|another name in its local header/,
  /its directory has no entry at byte 0/, // PyTorch looks where the end record says, Python before the end record
];

const bases = [...new Set(rows.map(([base]) => base))];

test.each(bases)('%s', async (base) => {
  let accepted = 0;
  for (const [, edits, verdict] of rows.filter((row) => row[0] === base)) {
    const what = `${base} ${JSON.stringify(edits)}`;
    let ours: { hash: string; unknown: boolean } | null = null;
    let reason = '';
    try {
      ours = await digest(assemble(base, edits));
    } catch (error) {
      if (!(error instanceof TensorRTError)) throw error;
      reason = error.message;
    }
    if (ours) {
      accepted++;
      if (verdict !== null || !ours.unknown) expect(ours.hash, what).toBe(verdict);
    } else if (verdict !== null && !stricter.some((pattern) => pattern.test(reason))) {
      throw new Error(`${what}: Python accepts it, here: ${reason}`);
    }
  }
  // Any change to the byte order is refused.
  if (!base.endsWith('/byteorder')) expect(accepted).toBeGreaterThan(0);
});
