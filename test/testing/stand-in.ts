import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a stand-in for compute-sanitizer prints, after it ran the program: by tool. */
export interface Printed {
  memcheck?: string;
  racecheck?: string;
  /** It does not start the program. */
  idle?: boolean;
  /** It never ends. */
  hangs?: boolean;
}

const options = ['tool', 'strip-paths', 'show-backtrace', 'print-limit', 'padding', 'report-api-errors'];

/** A program that takes compute-sanitizer's options and prints what it would print: the shapes are those of NVIDIA's manual. */
const program = (printed: Printed) => `#!${process.execPath}
const { spawnSync } = require('node:child_process');
const printed = ${JSON.stringify(printed)};
const args = process.argv.slice(2);
const given = {};
while (args[0]?.startsWith('--')) {
  const name = args.shift().slice(2);
  if (!${JSON.stringify(options)}.includes(name)) { console.log('unknown option ' + name); process.exit(2); }
  given[name] = args.shift();
}
console.log('========= COMPUTE-SANITIZER');
if (printed.hangs) setInterval(() => {}, 1000);
else {
  if (!printed.idle) spawnSync(args[0], args.slice(1), { stdio: 'inherit' });
  const clean = { memcheck: 'ERROR SUMMARY: 0 errors', racecheck: 'RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)' };
  console.log(printed[given.tool] ?? '========= ' + clean[given.tool]);
}
`;

/** Runs `use` with the path of a stand-in. */
export async function withSanitizer<T>(printed: Printed, use: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sanitizer-'));
  try {
    const path = join(folder, 'compute-sanitizer');
    writeFileSync(path, program(printed));
    chmodSync(path, 0o755);
    return await use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** An access out of bounds, as memcheck tells it. */
export const outOfBounds = (file: string, line: number) => `========= Invalid __global__ write of size 4 bytes
=========     at store(const float *, float *, int)+0x100 in ${file}:${line}
=========     by thread (5,0,0) in block (1,0,0)
=========     Address 0x7cc43aa00094 is out of bounds
=========     and is 1 bytes after the nearest allocation at 0x7cc43aa00000 of size 148 bytes
=========
========= Program hit CUDA_ERROR_LAUNCH_FAILED (error 719) due to "unspecified launch failure" on CUDA API call to cuStreamSynchronize.
=========
========= ERROR SUMMARY: 2 errors`;

/** A race, as racecheck tells it. */
export const race = (
  file: string,
  line: number,
  other: number,
) => `========= Error: Race reported between Write access at sum(const float *, float *)+0x90 in ${file}:${line}
=========     and Read access at sum(const float *, float *)+0x100 in ${file}:${other} [508 hazards]
=========
========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)`;
