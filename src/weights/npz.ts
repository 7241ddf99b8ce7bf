import { constants } from 'node:buffer';
import type { ParsedFile, TensorEntry } from './entry.js';
import { malformed } from './format-error.js';
import { type NpyHeader, npyElements, npyHead, parseNpyHeader } from './npy.js';
import type { Source } from './source.js';
import type { ZipMember } from './zip.js';

/**
 * The arrays of an npz: a zip of npy files, stored or deflated, named without `.npy`. Members that are no npy are
 * refused; NumPy would give their bytes.
 * @throws ERR_WEIGHTS_FORMAT
 */
export function parseNpz(source: Source, members: ReadonlyMap<string, ZipMember>): ParsedFile {
  const tensors: TensorEntry[] = [];
  for (const member of members.values()) {
    const label = `${source.name}: ${member.name}`;
    const header = parseNpyHeader(member.head(npyHead), label);
    const size = member.size - header.begin;
    if (size !== header.length) {
      throw malformed(label, `its header tells of ${header.length} bytes of elements, it has ${size}`);
    }
    if (member.size > constants.MAX_LENGTH && !member.stored)
      throw malformed(label, `inflates to ${member.size} bytes, more than one buffer may have`);
    const read = () => npyElements(header as NpyHeader, member.read().subarray(header.begin));
    tensors.push({
      name: member.name.replace(/\.npy$/, ''),
      dtype: header.dtype,
      fileDType: header.descr,
      shape: header.shape,
      byteLength: header.length,
      read,
    });
  }
  return { format: 'npz', source, tensors, metadata: new Map() };
}
