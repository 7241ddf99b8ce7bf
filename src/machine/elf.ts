import { type FileHandle, open } from 'node:fs/promises';
import { type Machine, machine } from './processor.js';

/** The constant that a function in an ELF file returns, if it is one. */
export type ElfConstant = { value: number } | { value: null; missing: boolean };

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_STRTAB = 5;
const DT_SYMTAB = 6;
const DT_GNU_HASH = 0x6ffffef5;
const MAX_HEADERS = 256;
const MAX_DYNAMIC = 4096;
const MAX_CHAIN = 100_000;

interface Segment {
  type: number;
  offset: number;
  address: number;
  size: number;
}

/**
 * Reads the constant that an exported function returns, without loading the library.
 * Layout: System V ABI; the hash section as in binutils' and glibc's DT_GNU_HASH.
 * @param arch the processor, as in `process.arch`; default: this process's
 * @returns `value: null` if the symbol is missing, or does more than return a constant
 * @throws Error with the reason why the library cannot load on this machine
 */
export async function readElfConstant(path: string, symbol: string, arch?: string): Promise<ElfConstant> {
  const file = await open(path, 'r');
  try {
    return await new Elf(file, (await file.stat()).size, machine(arch)).constant(symbol);
  } finally {
    await file.close();
  }
}

class Elf {
  private segments: Segment[] = [];

  constructor(
    private readonly file: FileHandle,
    private readonly size: number,
    private readonly machine: Machine,
  ) {}

  async constant(symbol: string): Promise<ElfConstant> {
    await this.readSegments();
    const address = await this.symbolAddress(symbol);
    if (address === null) return { value: null, missing: true };
    const code = await this.readAt(address, 16);
    const value = this.machine.returned(code);
    return value === null ? { value, missing: false } : { value };
  }

  private async read(offset: number, length: number): Promise<Buffer> {
    const bytes = new Uint8Array(length);
    if (!Number.isSafeInteger(offset) || offset + length > this.size) throw new Error('the file is truncated');
    const { bytesRead } = await this.file.read(bytes, 0, length, offset);
    if (bytesRead < length) throw new Error('the file is truncated');
    return Buffer.from(bytes.buffer);
  }

  /** Reads at a virtual address. */
  private async readAt(address: number, length: number): Promise<Buffer> {
    const segment = this.segments.find(
      (one) => one.type === PT_LOAD && address >= one.address && address < one.address + one.size,
    );
    if (!segment) throw new Error('a table lies outside every segment');
    return this.read(segment.offset + address - segment.address, length);
  }

  private async readSegments(): Promise<void> {
    if (this.size < 64) throw new Error(this.size === 0 ? 'the file is empty' : 'not an ELF file');
    const header = await this.read(0, 64);
    if (header.readUInt32BE(0) !== 0x7f454c46) throw new Error('not an ELF file');
    const { elf, name } = this.machine;
    const isLibrary =
      header[4] === 2 && header[5] === 1 && header.readUInt16LE(16) === 3 && header.readUInt16LE(18) === elf;
    if (!isLibrary) throw new Error(`not a shared library for ${name}`);
    const count = Math.min(header.readUInt16LE(56), MAX_HEADERS);
    const table = await this.read(Number(header.readBigUInt64LE(32)), count * 56);
    for (let at = 0; at < table.length; at += 56) {
      const segment = {
        type: table.readUInt32LE(at),
        offset: Number(table.readBigUInt64LE(at + 8)),
        address: Number(table.readBigUInt64LE(at + 16)),
        size: Number(table.readBigUInt64LE(at + 32)),
      };
      if (segment.type === PT_LOAD && segment.offset + segment.size > this.size)
        throw new Error('the file is truncated');
      this.segments.push(segment);
    }
  }

  private async dynamicTable(): Promise<Map<number, number>> {
    const dynamic = this.segments.find((one) => one.type === PT_DYNAMIC);
    if (!dynamic) throw new Error('not a shared library: no dynamic section');
    const table = await this.read(dynamic.offset, Math.min(dynamic.size, MAX_DYNAMIC * 16));
    const entries = new Map<number, number>();
    for (let at = 0; at + 16 <= table.length; at += 16)
      entries.set(Number(table.readBigInt64LE(at)), Number(table.readBigUInt64LE(at + 8)));
    return entries;
  }

  private async symbolAddress(name: string): Promise<number | null> {
    const dynamic = await this.dynamicTable();
    const [hashTable, symbols, strings] = [DT_GNU_HASH, DT_SYMTAB, DT_STRTAB].map((tag) => dynamic.get(tag));
    if (!hashTable || !symbols || !strings) return null;
    let hash = 5381;
    for (const char of Buffer.from(name)) hash = (Math.imul(hash, 33) + char) >>> 0;

    const head = await this.readAt(hashTable, 16);
    const [buckets, firstSymbol, bloomWords] = [head.readUInt32LE(0), head.readUInt32LE(4), head.readUInt32LE(8)];
    if (buckets === 0) return null;
    const bucketsAt = hashTable + 16 + bloomWords * 8;
    let index = (await this.readAt(bucketsAt + (hash % buckets) * 4, 4)).readUInt32LE(0);
    if (index < firstSymbol) return null;
    for (let step = 0; step < MAX_CHAIN; step++, index++) {
      const chained = (await this.readAt(bucketsAt + (buckets + index - firstSymbol) * 4, 4)).readUInt32LE(0);
      if ((chained | 1) >>> 0 === (hash | 1) >>> 0) {
        const entry = await this.readAt(symbols + index * 24, 24);
        const text = await this.readAt(strings + entry.readUInt32LE(0), name.length + 1);
        const isDefined = entry.readUInt16LE(6) !== 0;
        if (isDefined && text.toString('latin1') === `${name}\0`) return Number(entry.readBigUInt64LE(8));
      }
      if (chained & 1) return null;
    }
    return null;
  }
}
