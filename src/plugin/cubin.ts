import { TensorRTError } from '../errors/error.js';

/** A parameter of a compiled kernel, in bytes. */
export interface KernelParameter {
  offset: number;
  size: number;
}

const mostSections = 65_536;
const mostParameters = 4096;

// Of the entries of .nv.info sections, as NVIDIA's cuobjdump names them.
const KPARAM_INFO = 0x17;
const CBANK_PARAM_SIZE = 0x19;
/** With this format the entry's value is a size, and that many bytes follow. */
const SVAL = 4;

interface Section {
  name: string;
  offset: number;
  size: number;
}

/**
 * The parameters of every kernel in a cubin, by lowered name, in order.
 * @throws {TensorRTError} ERR_KERNEL if it is no cubin
 */
export function kernelParameters(cubin: Uint8Array): Map<string, KernelParameter[]> {
  const view = new DataView(cubin.buffer, cubin.byteOffset, cubin.byteLength);
  try {
    const prefix = '.nv.info.';
    const found = new Map<string, KernelParameter[]>();
    for (const { name, offset, size } of sections(view))
      if (name.startsWith(prefix)) found.set(name.slice(prefix.length), parametersIn(view, offset, offset + size));
    return found;
  } catch (error) {
    const why = error instanceof RangeError ? 'it ends too early' : (error as Error).message;
    throw new TensorRTError('ERR_KERNEL', `expected a cubin, an ELF file for GPUs: ${why}`, { cause: error });
  }
}

/** DataView throws a RangeError for what lies outside. */
function sections(view: DataView): Section[] {
  const is64 = view.getUint32(0) === 0x7f454c46 && view.getUint8(4) === 2 && view.getUint8(5) === 1;
  const machine = view.getUint16(18, true);
  if (!is64 || machine !== 190) throw new Error('its header is that of another file');
  const table = Number(view.getBigUint64(40, true));
  const [entry, count, names] = [58, 60, 62].map((at) => view.getUint16(at, true)) as [number, number, number];
  if (entry < 64 || count > mostSections || names >= count) throw new Error('its table of sections is damaged');
  const programs = Number(view.getBigUint64(32, true)) + view.getUint16(54, true) * view.getUint16(56, true);
  if (programs > view.byteLength) throw new RangeError();
  const at = (index: number) => {
    const begin = table + index * entry;
    const [offset, size] = [24, 32].map((field) => Number(view.getBigUint64(begin + field, true)));
    return { label: view.getUint32(begin, true), type: view.getUint32(begin + 4, true), offset: offset!, size: size! };
  };
  const strings = at(names);
  const empty = 8;
  return Array.from({ length: count }, (_, index) => at(index)).flatMap(({ label, type, offset, size }) => {
    if (type !== empty && offset + size > view.byteLength) throw new RangeError();
    return [{ name: textAt(view, strings, label), offset, size }];
  });
}

function textAt(view: DataView, { offset, size }: { offset: number; size: number }, label: number): string {
  let end = offset + label;
  while (end < offset + size && view.getUint8(end) !== 0) end++;
  if (end >= offset + size) throw new RangeError();
  return Buffer.from(view.buffer, view.byteOffset + offset + label, end - offset - label).toString('latin1');
}

function parametersIn(view: DataView, begin: number, end: number): KernelParameter[] {
  const parameters: KernelParameter[] = [];
  let bytes: number | undefined;
  for (let at = begin; at + 4 <= end; ) {
    const [format, attribute, value] = [view.getUint8(at), view.getUint8(at + 1), view.getUint16(at + 2, true)];
    at += 4;
    if (attribute === CBANK_PARAM_SIZE) bytes = value;
    if (format !== SVAL) continue;
    if (at + value > end) throw new RangeError();
    if (attribute === KPARAM_INFO && value >= 12) {
      const ordinal = view.getUint16(at + 4, true);
      if (ordinal >= mostParameters || parameters[ordinal]) throw new Error('its list of parameters is damaged');
      parameters[ordinal] = { offset: view.getUint16(at + 6, true), size: view.getUint32(at + 8, true) >>> 18 };
    }
    at += value;
  }
  for (let i = 0; i < parameters.length; i++) if (!parameters[i]) throw new Error('its list of parameters has a hole');
  const last = parameters.at(-1);
  if (last && bytes !== undefined && last.offset + last.size > bytes) throw new Error('its parameters do not fit');
  return parameters;
}

/** An argument as messages name it: `int32(…)`, `x`. */
export interface GivenArgument {
  name: string;
  /** Bytes. */
  size: number;
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/**
 * Compares a launch's arguments with the parameters of its kernel.
 * @param kernel as messages name it: `rmsNorm<__half>`
 * @returns what is wrong, or undefined
 */
export function argumentMismatch(
  kernel: string,
  given: readonly GivenArgument[],
  parameters: readonly KernelParameter[],
): string | undefined {
  const at = parameters.findIndex(({ size }, i) => given[i] !== undefined && given[i].size !== size);
  const wrong = given[at];
  const isShifted = given.length !== parameters.length;
  const first = wrong
    ? `argument ${at + 1}, ${wrong.name}, has ${plural(wrong.size, 'byte')}, and the parameter ${plural(parameters[at]!.size, 'byte')}`
    : undefined;
  if (isShifted) {
    const names = given.map(({ name }) => name).join(', ');
    const counts = `kernel ${kernel} takes ${plural(parameters.length, 'argument')}, given ${given.length}${names && ` (${names})`}`;
    return first ? `${counts}; ${first}` : counts;
  }
  return first && `kernel ${kernel}: ${first}`;
}
