import { constants } from 'node:buffer';
import type { ByteSource } from '../byte-source.js';
import { malformed } from '../format-error.js';
import { looksLikeNpy, npyElements, npyHead, npyRefusal, parseNpyHeader } from './npy.js';
import type { ParsedFile, TensorEntry } from './parsed-file.js';
import type { ZipMember } from './zip.js';

/**
 * The arrays of an npz: a zip of npy files, stored or deflated, named without `.npy`. Other members are
 * refused; NumPy would return their bytes.
 * @throws ERR_WEIGHTS_FORMAT
 */
export function parseNpz(source: ByteSource, members: ReadonlyMap<string, ZipMember>): ParsedFile {
  const tensors: TensorEntry[] = [];
  const first = members.values().next().value;
  if (first && !looksLikeNpy(first.head(npyHead))) throw malformed(source.name, otherZip(members));
  for (const member of members.values()) {
    const label = `${source.name}: ${member.name}`;
    const header = parseNpyHeader(member.head(npyHead), label);
    const size = member.size - header.begin;
    if (header.length !== undefined && size !== header.length) {
      throw malformed(label, `its header promises ${header.length} bytes of elements, but ${size} follow`);
    }
    if (member.size > constants.MAX_LENGTH && !member.stored)
      throw malformed(label, `inflates to ${member.size} bytes, more than one buffer may have`);
    const read = () => npyElements(header, member.read().subarray(header.begin));
    tensors.push({
      name: member.name.replace(/\.npy$/, ''),
      dtype: header.dtype,
      fileDType: header.descr,
      shape: header.shape,
      byteLength: header.length,
      refusal: header.dtype ? undefined : npyRefusal(header.descr),
      read,
    });
  }
  return { format: 'npz', source, tensors, metadata: new Map() };
}

/** What a zip is that is neither an npz nor a checkpoint. */
function otherZip(members: ReadonlyMap<string, ZipMember>): string {
  const names = [...members.keys()];
  const list = `${names.slice(0, 5).map(quoted).join(', ')}${names.length > 5 ? ', …' : ''}`;
  if (members.has('data.pkl'))
    return `a PyTorch checkpoint that was packed again: PyTorch expects its ${list} in a folder of the zip`;
  return `a zip that is neither an npz nor a PyTorch checkpoint, of ${list}; weight files in it must be extracted first`;
}

const quoted = (name: string): string => JSON.stringify(name.slice(0, 100));
