import { constants } from 'node:buffer';
import type { ByteSource } from '../byte-source.js';
import { malformed } from '../format-error.js';
import { looksLikeNpy, npyElements, npyHead, npyHeaderEnd, npyRefusal, parseNpyHeader } from './npy.js';
import type { ParsedFile, TensorEntry } from './parsed-file.js';
import { torchScript } from './pytorch.js';
import { charactersPerStep, stepsPerName, type Work } from './work.js';
import type { Zip, ZipMember } from './zip.js';

/**
 * The arrays of an npz: a zip of npy files, stored or deflated, named without `.npy`. Other members are
 * refused; NumPy would return their bytes.
 * @throws ERR_WEIGHTS_FORMAT
 */
export async function parseNpz(source: ByteSource, { members }: Zip, work: Work): Promise<ParsedFile> {
  const tensors: TensorEntry[] = [];
  for (const member of members.values()) {
    if (work.due()) await work.rest();
    work.spend(stepsPerName);
    let head = await member.head(usualHead);
    if (npyHeaderEnd(head) > head.length) head = await member.head(npyHead);
    if (!tensors.length && !looksLikeNpy(head)) throw malformed(source.name, otherZip(members));
    work.spend(npyHeaderEnd(head) / charactersPerStep);
    tensors.push(entryOf(source, member, head));
  }
  return { format: 'npz', source, tensors, metadata: new Map() };
}

/** Bytes of most headers. */
const usualHead = 128;

function entryOf(source: ByteSource, member: ZipMember, head: Uint8Array): TensorEntry {
  const label = `${source.name}: ${member.name}`;
  const header = parseNpyHeader(head, label);
  const size = member.size - header.begin;
  if (header.length !== undefined && size !== header.length)
    throw malformed(label, `its header promises ${header.length} bytes of elements, but ${size} follow`);
  if (member.size > constants.MAX_LENGTH && !member.stored)
    throw malformed(label, `inflates to ${member.size} bytes, more than one buffer may have`);
  return {
    name: member.name.replace(/\.npy$/, ''),
    dtype: header.dtype,
    fileDType: header.descr,
    shape: header.shape,
    byteLength: header.length,
    refusal: header.dtype ? undefined : npyRefusal(header.descr),
    read: () => npyElements(header, member.read().subarray(header.begin)),
  };
}

/** What a zip is that is neither an npz nor a checkpoint. */
function otherZip(members: ReadonlyMap<string, ZipMember>): string {
  const names: string[] = [];
  for (const name of members.keys()) if (names.push(quoted(name)) > 5) break;
  const list = `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`;
  const exported = programOf(members);
  if (exported) return exported;
  if (members.has('data.pkl'))
    return `a PyTorch checkpoint that was packed again: PyTorch expects its ${list} in a folder of the zip`;
  return `a zip that is neither an npz nor a PyTorch checkpoint, of ${list}; weight files in it must be extracted first`;
}

/** What a zip is that holds a program of PyTorch's; undefined for others. */
function programOf(members: ReadonlyMap<string, ZipMember>): string | undefined {
  const [first = ''] = members.keys();
  const root = first.slice(0, first.indexOf('/') + 1);
  if (members.has('serialized_exported_program.json') || members.has(`${root}models/model.json`))
    return "a program of torch.export, which is not run here. In Python: torch.save(torch.export.load(path).state_dict, 'weights.pt')";
  // As PyTorch 1.0 and 1.1 wrote it.
  if (members.has(`${root}model.json`) && members.has(`${root}version`)) return torchScript;
  if (members.has(`${root}archive_format`))
    return 'a package of compiled code (AOTInductor), which is not run here; save the state_dict() of the model that it was made from';
  return undefined;
}

const quoted = (name: string): string => JSON.stringify(name.slice(0, 100));
