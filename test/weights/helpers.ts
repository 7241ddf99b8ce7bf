import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TensorRTError } from '../../src/errors/error.js';
import type { Weights } from '../../src/weights/index.js';

/** What the official Python libraries read from a fixture; see fixtures/make.py. */
interface Reference {
  metadata?: Record<string, string>;
  tensors: Record<string, { dtype: string; shape: number[]; hex: string }>;
}

export const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/files/${name}`, import.meta.url));
export const fixtureBytes = (name: string): Uint8Array => new Uint8Array(readFileSync(fixture(name)));

export const references = JSON.parse(
  readFileSync(new URL('fixtures/expected.json', import.meta.url), 'utf8'),
) as Record<string, Reference>;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** All tensors of a store, in the form of the references. */
export function contents(weights: Weights): Reference['tensors'] {
  return Object.fromEntries(
    weights.names().map((name) => {
      const { dtype, shape, bytes } = weights.get(name);
      return [name, { dtype, shape: [...shape], hex: hex(bytes) }];
    }),
  );
}

/** The error that `run` throws or rejects with. */
export async function failure(run: () => unknown): Promise<TensorRTError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof TensorRTError) return error;
    throw new Error('expected a TensorRTError', { cause: error });
  }
  throw new Error('expected a failure');
}

/** Bytes of a safetensors file with this header, given as JSON text or as a value, which is then padded. */
export function safetensors(header: unknown, data: Uint8Array | number = 0): Uint8Array {
  const json = typeof header === 'string' ? header : JSON.stringify(header);
  const text = Buffer.from(typeof header === 'string' ? json : json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, typeof data === 'number' ? Buffer.alloc(data) : data]));
}

/** Bytes of an npy with this header text. */
export function npy(header: string, data: Uint8Array | number = 0): Uint8Array {
  const text = Buffer.from(header, 'latin1');
  const prefix = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  return new Uint8Array(Buffer.concat([prefix, text, typeof data === 'number' ? Buffer.alloc(data) : data]));
}
