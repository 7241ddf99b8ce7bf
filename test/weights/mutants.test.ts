import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { unzipSync, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { TensorRTError } from '../../src/dsl/errors.js';
import { parseWeights } from '../../src/weights/index.js';
import { fixtureBytes } from './helpers.js';

// Changed files, and what the official Python readers said to each: see fixtures/mutants.py. What is accepted here
// must be accepted there, with the same names, dtypes, shapes and elements.

type Edit = [position: number, drop: number, insert: string];
type Row = [base: string, edits: Edit[], verdict: string | null];
const path = new URL('fixtures/mutants.json.gz', import.meta.url);
const rows = JSON.parse(gunzipSync(readFileSync(path)).toString()) as Row[];

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

async function digest(bytes: Uint8Array): Promise<string> {
  using weights = await parseWeights(bytes, 'mutant');
  const lines: Buffer[] = [];
  for (const name of weights.names()) {
    if (weights.info(name).dtype === undefined) continue;
    const { dtype, shape, bytes: elements } = weights.get(name);
    lines.push(Buffer.from(`${name}|${dtype}|${shape.join(',')}|${Buffer.from(elements).toString('hex')}`));
  }
  lines.sort(Buffer.compare);
  const hash = createHash('sha256');
  for (const [i, line] of lines.entries()) hash.update(i ? '\n' : '').update(line);
  return hash.digest('hex').slice(0, 16);
}

/** Where this package is stricter than the official readers, on purpose; docs/weights.md lists the same. */
const stricter: readonly RegExp[] = [
  // npy, npz
  /after its header$|its header tells of/, // bytes after the elements
  /has dtype '[a<>|=].*'; expected/, // dtypes not spelled as NumPy writes them
  /unexpected end of file/, // deflated data without its end mark
  // safetensors
  /has shape \[0,"?\d{17,}"?\]/, // dims above 2^53
  // PyTorch
  /storage \d+ should have \d+ bytes/,
  /storage \d+ is torch\.\w+ and torch\.\w+, or of two sizes/, // the first wins in PyTorch
  /it names .*\.\w+Storage, which is not on the list/, // PyTorch ignores the module of storage classes
  /_rebuild_tensor_v2 with arguments that make no sense/, // backward hooks that are no dictionary
  /data\.pkl" is damaged: its CRC-32|another name in its local header/,
];

const bases = [...new Set(rows.map(([base]) => base))];

test.each(bases)('%s', async (base) => {
  let accepted = 0;
  for (const [, edits, verdict] of rows.filter((row) => row[0] === base)) {
    const what = `${base} ${JSON.stringify(edits)}`;
    let ours: string | null = null;
    let reason = '';
    try {
      ours = await digest(assemble(base, edits));
    } catch (error) {
      if (!(error instanceof TensorRTError)) throw error;
      reason = error.message;
    }
    if (ours !== null) {
      accepted++;
      expect(ours, what).toBe(verdict);
    } else if (verdict !== null && !stricter.some((pattern) => pattern.test(reason))) {
      throw new Error(`${what}: Python accepts it, here: ${reason}`);
    }
  }
  expect(accepted).toBeGreaterThan(0);
});
