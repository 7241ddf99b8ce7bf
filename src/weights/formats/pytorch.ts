import { Buffer } from 'node:buffer';
import type { ByteSource } from '../byte-source.js';
import { malformed } from '../format-error.js';
import type { ParsedFile } from './parsed-file.js';
import { unpickleTorch } from './torch-pickle.js';
import { torchTensors } from './torch-tensors.js';
import type { ZipMember } from './zip.js';

export const looksLikePickle = (head: Uint8Array): boolean => head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5;

/** Path of the pickle in a PyTorch zip; undefined in other zips. */
export const pickleMember = (members: ReadonlyMap<string, ZipMember>): string | undefined =>
  [...members.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));

/** Most bytes of a checkpoint's pickle. */
export const maxPickle = 256 * 2 ** 20;
const maxRecord = 64;

/** Versions of the format that PyTorch reads (caffe2/serialize/versions.h: kMin- and kMaxSupportedFileFormatVersion). */
const versions = { least: 1, most: 10 };

/**
 * Reads a PyTorch checkpoint (the zip format of torch.save since 1.6): all tensors in nested dictionaries, lists and
 * tuples, named by their keys joined with dots. Nothing is executed: only what `torch.load(weights_only=True)` allows
 * has a meaning; all other objects are opaque. Limits: a pickle of 256 MiB, 4 million opcodes, a million values; a
 * strided view may take 16 times its storage, or 64 MiB.
 * @throws ERR_WEIGHTS_FORMAT
 */
export function parsePyTorch(source: ByteSource, members: ReadonlyMap<string, ZipMember>, pickle: string): ParsedFile {
  const fail = (problem: string) => malformed(source.name, problem);
  const root = pickle.slice(0, pickle.indexOf('/') + 1);
  const record = (name: string): string | undefined => {
    const member = members.get(root + name);
    if (!member) return undefined;
    if (member.size > maxRecord) throw fail(`its record ${name} has ${member.size} bytes`);
    return Buffer.from(member.read()).toString('latin1');
  };

  const version = record('.data/version') ?? record('version');
  if (version === undefined) throw fail('has no version record, which every PyTorch checkpoint has');
  const number = /^\d{1,4}\n?$/.test(version) ? Number(version) : Number.NaN;
  if (!(number >= versions.least && number <= versions.most)) {
    throw fail(
      `is of version ${JSON.stringify(version)}; expected ${versions.least} to ${versions.most}, as PyTorch does`,
    );
  }
  const order = record('byteorder') ?? 'little';
  if (order !== 'little' && order !== 'big')
    throw fail(`has byte order ${JSON.stringify(order)}; expected little or big`);

  const member = members.get(pickle)!;
  if (member.size > maxPickle) throw fail(`${pickle} has ${member.size} bytes, more than ${maxPickle}`);
  if (members.has(`${root}constants.pkl`)) {
    throw fail(
      "a TorchScript archive, a program that is not run here. In Python: torch.save(torch.jit.load(path).state_dict(), 'weights.pt')",
    );
  }
  const failPickle = (problem: string) => fail(`${pickle} ${problem}`);
  const { value } = unpickleTorch(member.read(), failPickle);
  const find = ({ key }: { key: string }) => {
    const found = members.get(`${root}data/${key}`);
    return found && { name: found.name, size: found.size, read: () => found.readUnchecked() };
  };
  const { tensors, opaque } = torchTensors(value, { find, bigEndian: order === 'big' }, failPickle);
  return { format: 'pytorch', source, tensors, opaque, metadata: new Map() };
}
