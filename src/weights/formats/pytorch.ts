import { Buffer } from 'node:buffer';
import type { ByteSource } from '../byte-source.js';
import { malformed } from '../format-error.js';
import type { ParsedFile } from './parsed-file.js';
import { unpickleTorch } from './torch-pickle.js';
import { torchTensors } from './torch-tensors.js';
import type { Work } from './work.js';
import type { Zip } from './zip.js';

export const looksLikePickle = (head: Uint8Array): boolean => head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5;

/** Path of the pickle in a PyTorch zip; undefined in other zips. */
export async function pickleMember({ members }: Zip, work: Work): Promise<string | undefined> {
  for (const name of members.keys()) {
    if (name.endsWith('/data.pkl') && name.indexOf('/') === name.length - 9) return name;
    if (work.due()) await work.rest();
  }
  return undefined;
}

/** What to do about a program, also where it was on a GPU. */
export const torchScript =
  "a TorchScript archive, a program that is not run here. In Python: torch.save(torch.jit.load(path, 'cpu').state_dict(), 'weights.pt')";

/** Most bytes of a checkpoint's pickle. */
export const maxPickle = 256 * 2 ** 20;
const maxRecord = 64;
/** A deflated pickle's size to that in the file, beyond what little there always is. */
const bestRatio = 64;
const least = 2 ** 20;

/** Versions of the format that PyTorch reads (caffe2/serialize/versions.h: kMin- and kMaxSupportedFileFormatVersion). */
const versions = { least: 1, most: 10 };

/**
 * Reads a PyTorch checkpoint (the zip format of torch.save since 1.6): all tensors in nested dictionaries, lists and
 * tuples, named by their keys joined with dots. Nothing is executed: only what `torch.load(weights_only=True)` allows
 * has a meaning; all other objects are opaque. Limits: a pickle of 256 MiB, 4 million opcodes, the steps of `Work`; a
 * strided view may take 16 times its storage, or 64 MiB.
 * @throws ERR_WEIGHTS_FORMAT
 */
export async function parsePyTorch(source: ByteSource, zip: Zip, pickle: string, work: Work): Promise<ParsedFile> {
  const { members } = zip;
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

  if (zip.counted !== members.size)
    throw fail(`as a zip: its end record counts ${zip.counted} members, its directory has ${members.size}`);
  const member = members.get(pickle)!;
  if (member.size > maxPickle) throw fail(`${pickle} has ${member.size} bytes, more than ${maxPickle}`);
  if (members.has(`${root}constants.pkl`)) {
    // torch.jit.freeze makes constants of weights, and state_dict() gives none.
    if (members.has(`${root}constants/0`) && !members.has(`${root}data/0`))
      throw fail(
        'a frozen TorchScript archive, whose weights are constants of its code; save the state_dict() of the model before torch.jit.freeze',
      );
    throw fail(torchScript);
  }
  if (member.size > least + bestRatio * member.packed)
    throw fail(`${pickle} inflates ${member.packed} bytes to ${member.size}, more than pickles of weights do`);
  const failPickle = (problem: string) => fail(`${pickle} ${problem}`);
  const { value } = await unpickleTorch(await member.load(work), work, failPickle);
  const find = ({ key }: { key: string }) => {
    const found = members.get(`${root}data/${key}`);
    return found && { name: found.name, size: found.size, read: () => found.readUnchecked() };
  };
  const { tensors, opaque } = await torchTensors(value, { find, bigEndian: order === 'big' }, work, failPickle);
  return { format: 'pytorch', source, tensors, opaque, metadata: new Map() };
}
