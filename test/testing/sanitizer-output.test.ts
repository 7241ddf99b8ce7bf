import { describe, expect, test } from 'vitest';
import { parseSanitizer } from '../../src/testing/sanitizer-output.js';

// Shapes of reports: NVIDIA's manual, "Compute Sanitizer Tool Examples" (2026.4), and "Understanding Memcheck Errors".

describe('memcheck:', () => {
  const write = (thread: number) => `========= Invalid __global__ write of size 4 bytes
=========     at void store<float>(float *, int)+0x100 in /home/me/my plugin/store.cu:34
=========     by thread (${thread},0,0) in block (3,0,0)
=========     Address 0x7cc43aa00001 is out of bounds
=========     and is 1 bytes after the nearest allocation at 0x7cc43aa00000 of size 4 bytes
=========     Saved host backtrace up to driver entry point at kernel launch time
=========         Host Frame: launch() [0xacd4] in node
=========
`;
  const end = `========= Program hit CUDA_ERROR_LAUNCH_FAILED (error 719) due to "unspecified launch failure" on CUDA API call to cuStreamSynchronize.
=========     Saved host backtrace up to driver entry point at error
=========
========= ERROR SUMMARY: 769 errors
========= ERROR SUMMARY: 669 errors were not printed. Use --print-limit option to adjust the number of printed errors
`;

  test('an access out of bounds, in many threads', () => {
    const output = `========= COMPUTE-SANITIZER\nhello from printf\n${write(1)}${write(2)}${end}`;
    expect(parseSanitizer(output)).toEqual({
      findings: [
        {
          what: 'Invalid __global__ write of size 4 bytes',
          severity: 'error',
          frames: [{ function: 'void store<float>(float *, int)', file: '/home/me/my plugin/store.cu', line: 34 }],
          details: [
            'by thread (1,0,0) in block (3,0,0)',
            'Address 0x7cc43aa00001 is out of bounds',
            'and is 1 bytes after the nearest allocation at 0x7cc43aa00000 of size 4 bytes',
          ],
          count: 2,
        },
      ],
      errors: 769,
      complaints: [],
    });
  });

  test('in a device function: the innermost frame first', () => {
    const { findings } = parseSanitizer(`========= Invalid __global__ write of size 4 bytes
=========     at out_of_bounds_function()+0xb0 in memcheck_demo.cu:39
=========     by thread (0,0,0) in block (0,0,0)
=========     Address 0x87654320 is out of bounds
=========         Device Frame: out_of_bounds_kernel()+0x30 in memcheck_demo.cu:44
=========
`);
    expect(findings[0]!.frames).toEqual([
      { function: 'out_of_bounds_function()', file: 'memcheck_demo.cu', line: 39 },
      { function: 'out_of_bounds_kernel()', file: 'memcheck_demo.cu', line: 44 },
    ]);
  });

  test.each([
    ['at unaligned_kernel()+0x50', { function: 'unaligned_kernel()' }],
    ['at 0x3c8 in C:/a/b.cu:42:kernel(int*,int*)', { function: 'kernel(int*,int*)', file: 'C:/a/b.cu', line: 42 }],
    [
      'at unaligned_kernel():0x160 in memcheck_demo.cu:6',
      { function: 'unaligned_kernel()', file: 'memcheck_demo.cu', line: 6 },
    ],
  ])('a place as other releases write it: %s', (place, frame) => {
    const { findings } = parseSanitizer(`========= Invalid __shared__ read of size 4 bytes\n=========     ${place}\n`);
    expect(findings[0]!.frames).toEqual([frame]);
  });

  test('a kind of error that is not known is one', () => {
    const { findings, complaints } = parseSanitizer(
      '========= Something new in a kernel\n=========     at k()+0x1 in k.cu:3\n',
    );
    expect(findings).toMatchObject([{ what: 'Something new in a kernel', frames: [{ line: 3 }] }]);
    expect(complaints).toEqual([]);
  });
});

describe('racecheck:', () => {
  test('a race names both places', () => {
    const { findings, errors } = parseSanitizer(`========= COMPUTE-SANITIZER
========= Error: Race reported between Write access at sumKernel(int *, int *)+0x90 in /home/me/block_error.cu:41
=========     and Read access at sumKernel(int *, int *)+0x100 in /home/me/block_error.cu:51 [508 hazards]
=========
========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)
`);
    expect(errors).toBe(1);
    expect(findings).toEqual([
      {
        what: 'Race reported between Write access and Read access',
        severity: 'error',
        frames: [
          { function: 'sumKernel(int *, int *)', file: '/home/me/block_error.cu', line: 41, access: 'Write' },
          { function: 'sumKernel(int *, int *)', file: '/home/me/block_error.cu', line: 51, access: 'Read' },
        ],
        details: [],
        count: 1,
      },
    ]);
  });

  test('lines may be folded, and a hazard may be a warning', () => {
    const { findings } = parseSanitizer(`========= Warning: Race reported between Write access at k(float *, int)+0x580
=========     in k.cu:25
=========     and Read access at k(float *, int)+0x890 in k.cu:31
=========     [4080 hazards]
`);
    expect(findings).toMatchObject([{ severity: 'warning', frames: [{ line: 25 }, { line: 31 }], details: [] }]);
  });
});

describe('what it says of itself is no finding:', () => {
  test.each([
    [
      "Error: process didn't terminate successfully\n=========     The application may have hit an error",
      /process didn't terminate.*may have hit/,
    ],
    ['Error: Target application terminated before first instrumented API call', /before first instrumented/],
    ['Error: Device not supported. Please refer to the "Supported Devices" section', /not supported/],
    [
      "Internal Sanitizer Error: The Sanitizer encountered an error while launching k and didn't track the launch",
      /Internal/,
    ],
  ])('%s', (line, complaint) => {
    const { findings, complaints, errors } = parseSanitizer(`========= COMPUTE-SANITIZER\n========= ${line}\n`);
    expect(findings).toEqual([]);
    expect(complaints).toEqual([expect.stringMatching(complaint)]);
    expect(errors).toBeUndefined();
  });

  test('a clean run', () => {
    const none = { findings: [], complaints: [], errors: 0 };
    expect(parseSanitizer('========= COMPUTE-SANITIZER\n========= ERROR SUMMARY: 0 errors\n')).toEqual(none);
    const raceless =
      '========= COMPUTE-SANITIZER\n========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)\n';
    expect(parseSanitizer(raceless)).toEqual(none);
  });
});
