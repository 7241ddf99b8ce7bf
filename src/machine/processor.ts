/** What differs between processors: folder names, and the code of a function that returns a constant. */
export interface Machine {
  /** Its name in errors. */
  name: string;
  /** `e_machine` of its ELF files. */
  elf: number;
  /** Debian's name for its folders in /usr/lib. */
  triplet: string;
  /** NVIDIA's names for its folders in a CUDA toolkit. */
  cudaTargets: readonly string[];
  /** The constant that a function with this code returns; null if it does more. */
  returned(code: Buffer): number | null;
}

/** `mov eax, imm32; ret`, also after `endbr64` and in a frame. See Intel's manual, volume 2. */
function returnedX64(code: Buffer): number | null {
  let at = 0;
  if (code.readUInt32BE(0) === 0xf30f1efa) at += 4; // endbr64
  const framed = code.readUInt32BE(at) === 0x554889e5; // push rbp; mov rbp, rsp
  if (framed) at += 4;
  const end = framed ? [0x5d, 0xc3] : [0xc3]; // pop rbp; ret
  const isConstant = code[at] === 0xb8 && end.every((byte, i) => code[at + 5 + i] === byte);
  return isConstant ? code.readInt32LE(at + 1) : null;
}

/** `movz w0, #low; movk w0, #high, lsl 16; ret`, also after `bti c`, and without the `movk`. See Arm's manual, C6.2. */
function returnedArm64(code: Buffer): number | null {
  const word = (i: number) => code.readUInt32LE(4 * i);
  const immediate = (i: number) => (word(i) >>> 5) & 0xffff;
  let at = word(0) === 0xd503245f ? 1 : 0; // bti c
  if ((word(at) & 0xffe0001f) >>> 0 !== 0x52800000) return null;
  let value = immediate(at++);
  if ((word(at) & 0xffe0001f) >>> 0 === 0x72a00000) value |= immediate(at++) << 16;
  return word(at) === 0xd65f03c0 ? value : null; // ret
}

/** By `process.arch`. */
export const machines: Readonly<Record<string, Machine>> = {
  x64: { name: 'x86-64', elf: 62, triplet: 'x86_64-linux-gnu', cudaTargets: ['x86_64-linux'], returned: returnedX64 },
  arm64: {
    name: 'arm64',
    elf: 183,
    triplet: 'aarch64-linux-gnu',
    cudaTargets: ['sbsa-linux', 'aarch64-linux'],
    returned: returnedArm64,
  },
};

/** The processor of a Node architecture; default: this process's. */
export const machine = (arch: string = process.arch): Machine => machines[arch] ?? machines.x64!;
