import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { machines } from './processor.js';

/**
 * What is wrong with an addon's file, as far as its ELF header tells: a file that is cut short would end the process when it is loaded.
 * Layout: System V ABI, ELF-64 header. Undefined if nothing is.
 */
export function addonDamage(path: string, arch: string = process.arch): string | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    return `it cannot be read: ${(error as Error).message}`;
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return 'it is no file';
    const header = Buffer.alloc(64);
    const isElf = readSync(file, header, 0, 64, 0) === 64 && header.readUInt32BE(0) === 0x7f454c46;
    if (!isElf) return 'it is no library of Linux';
    const elf = header.readUInt16LE(18);
    if (machines[arch] && elf !== machines[arch].elf) {
      const found = Object.keys(machines).find((name) => machines[name]!.elf === elf) ?? 'another processor';
      return `it is for ${found}, and this is ${arch}`;
    }
    // Sections are described at the end of the file.
    const end = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60);
    return stat.size < end ? `it has ${stat.size} bytes of ${end}` : undefined;
  } finally {
    closeSync(file);
  }
}
