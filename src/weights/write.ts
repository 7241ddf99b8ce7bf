import { Buffer } from 'node:buffer';
import { show, TensorRTError } from '../errors/error.js';
import { isOurs, thrown } from '../errors/thrown.js';
import { loneSurrogate } from '../strict-json.js';
import { reasonOf, writeFileWhole } from '../write-file.js';
import { type WeightDType, weightBytes } from './dtype.js';
import { refusal } from './format-error.js';
import { maxHeader, safetensorsDTypes } from './formats/safetensors.js';
import type { Weights } from './store.js';
import { Weight } from './weight.js';

/** Called while a file is written, with bytes written so far and in all. */
export type WriteProgress = (written: number, total: number) => void;

const codes = new Map<WeightDType, { code: string; rank: number }>();
[...safetensorsDTypes].forEach(([code, { dtype }], rank) => {
  if (dtype) codes.set(dtype, { code, rank });
});

const chunk = 64 * 2 ** 20;

/**
 * Writes a safetensors file, laid out as the official writer does: largest elements first, then by name. It is written
 * beside `path` and renamed, so that a file in use is never cut short; a link stays, and leads to the new file. Devices and
 * FIFOs are written through. Ordinary arrays are copied before this returns.
 * @param tensors by name, or a store (all its tensors, under the names it shows)
 * @param metadata strings for `__metadata__`
 * @throws ERR_INPUT (tensors or metadata of another kind), ERR_WEIGHTS_NAME (a name that safetensors cannot hold),
 * ERR_WEIGHTS_DTYPE (int4), ERR_WEIGHTS_FILE, ERR_CALLBACK (`progress` threw),
 * and what reading the tensors throws
 */
export async function saveSafetensors(
  path: string,
  tensors: Weights | Readonly<Record<string, Weight>> | ReadonlyMap<string, Weight>,
  metadata: Readonly<Record<string, string>> = {},
  progress?: WriteProgress,
): Promise<void> {
  if (typeof path !== 'string' || path === '')
    throw refusal('ERR_WEIGHTS_FILE', `saveSafetensors: expected a path, given ${show(path)}`);
  checkMetadata(metadata);
  const ordered = [...named(tensors)].map(([name, weight]) => ({
    name,
    ...codeOf(name, weight),
    weight: weight.settled(),
  }));
  ordered.sort((a, b) => b.rank - a.rank || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const header = headerOf(ordered, metadata);
  const total = header.length + ordered.reduce((sum, { weight }) => sum + weight.byteLength, 0);
  try {
    await writeFileWhole(path, async (append) => {
      let written = 0;
      const write = async (bytes: Uint8Array): Promise<void> => {
        for (let at = 0; at < bytes.length; at += chunk) {
          const part = bytes.subarray(at, at + chunk);
          await append(part);
          written += part.length;
          report(progress, written, total);
        }
      };
      await write(header);
      for (const { weight } of ordered) {
        // The system refuses to read pages that the file no longer has.
        await write(weight.peek()).finally(() => weight.check());
      }
    });
  } catch (cause) {
    if (cause instanceof TensorRTError) throw cause;
    throw new TensorRTError('ERR_WEIGHTS_FILE', `${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

function report(progress: WriteProgress | undefined, written: number, total: number): void {
  try {
    progress?.(written, total);
  } catch (cause) {
    if (isOurs(cause)) throw cause;
    throw new TensorRTError('ERR_CALLBACK', `progress threw: ${thrown(cause)}`, { cause });
  }
}

function* named(
  tensors: Weights | Readonly<Record<string, Weight>> | ReadonlyMap<string, Weight>,
): Iterable<[string, Weight]> {
  if (typeof tensors !== 'object' || tensors === null)
    throw refusal('ERR_INPUT', `saveSafetensors: expected tensors by name, given ${show(tensors)}`);
  if (isStore(tensors)) for (const name of tensors.names()) yield [name, tensors.get(name)];
  else yield* tensors instanceof Map ? tensors : Object.entries(tensors as Readonly<Record<string, Weight>>);
}

/** The official reader refuses a file whose metadata holds anything but strings. */
function checkMetadata(metadata: unknown): void {
  const problem = (what: string) =>
    refusal('ERR_INPUT', `saveSafetensors: expected metadata of strings by name, given ${what}`);
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) throw problem(show(metadata));
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') throw problem(`${show(value)} for ${show(key)}`);
    if (loneSurrogate.test(key) || loneSurrogate.test(value)) throw problem(`half a surrogate pair in ${show(key)}`);
  }
}

const isStore = (tensors: object): tensors is Weights => 'names' in tensors && typeof tensors.names === 'function';

function codeOf(name: string, weight: Weight): { code: string; rank: number } {
  if (typeof name !== 'string' || !(weight instanceof Weight))
    throw refusal('ERR_INPUT', `saveSafetensors: expected a weight for ${show(name)}, given ${show(weight)}`);
  if (name === '__metadata__' || loneSurrogate.test(name)) {
    throw refusal('ERR_WEIGHTS_NAME', `A tensor cannot be named ${JSON.stringify(name)} in safetensors`);
  }
  const found = codes.get(weight.dtype);
  if (!found) throw refusal('ERR_WEIGHTS_DTYPE', `${name}: safetensors has no dtype ${weight.dtype}`);
  if (weight.byteLength !== weight.size * (weightBytes(weight.dtype, 2) / 2)) {
    throw refusal(
      'ERR_WEIGHTS_SHAPE',
      `${name}: ${weight.size} elements of ${weight.dtype} do not end at a whole byte`,
    );
  }
  return found;
}

function headerOf(
  ordered: readonly { name: string; weight: Weight; code: string }[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: string[] = [];
  if (Object.keys(metadata).length) entries.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let at = 0;
  for (const { name, weight, code } of ordered) {
    const end = at + weight.byteLength;
    const info = { dtype: code, shape: weight.shape, data_offsets: [at, end] };
    entries.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
    at = end;
  }
  const json = Buffer.from(`{${entries.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > maxHeader)
    throw refusal('ERR_WEIGHTS_NAME', `The header would take ${length} bytes; safetensors allows ${maxHeader}`);
  const header = Buffer.alloc(8 + length, ' ');
  header.writeBigUInt64LE(BigInt(length));
  json.copy(header, 8);
  return new Uint8Array(header.buffer as ArrayBuffer, header.byteOffset, header.length);
}
