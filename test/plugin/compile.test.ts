import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TensorRTError } from '../../src/errors/error.js';
import type { Env } from '../../src/machine/search.js';
import { compileKernels, type KernelRequest } from '../../src/plugin/compile.js';
import { kernelParameters } from '../../src/plugin/cubin.js';
import type { CudaSource } from '../../src/plugin/kernel-source.js';
import { temporaryFolder } from '../setup/fake-library.js';
import { ownCache, write } from './nvrtc-here.js';

const dir = temporaryFolder();
const fileAt = (file: string) => ({ file });
let env: Env;
beforeAll(async () => {
  env = await ownCache(join(dir, 'cache'));
});

const simple = `__global__ void scale(float* x, int n, float by) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= by;
}
`;

const request = (cuda: string | CudaSource, more: Partial<KernelRequest> = {}): KernelRequest => {
  const its = typeof cuda === 'string' ? { source: cuda } : cuda;
  return { name: 'Scale', cuda: its, options: [], kernels: ['scale'], launches: [], ...more };
};
const compile = (one: KernelRequest, capabilities = [90]) => compileKernels(one, capabilities, { env, driver: null });

async function refusal(one: KernelRequest, capabilities?: number[]): Promise<TensorRTError> {
  return compile(one, capabilities).then(
    () => expect.unreachable('it compiled'),
    (error) => error as TensorRTError,
  );
}

/** `e_flags` of a cubin has its architecture in the first byte, or in the second from sm_100 and CUDA 13 on. */
const architectures = (cubin: Uint8Array) => [...cubin.subarray(48, 50)];

describe('kernels compile', () => {
  test('for sm_80, sm_90 and sm_120, to machine code', async () => {
    const { cubins, lowered } = await compile(request(simple), [80, 90, 120]);
    expect(cubins.map(({ capability }) => capability)).toEqual([80, 90, 120]);
    for (const { capability, data } of cubins) expect(architectures(data)).toContain(capability);
    expect(lowered).toEqual(['_Z5scalePfif']);
  });

  test('as templates by dtype, with the headers of CUDA', async () => {
    const cuda = `#include <cuda_fp16.h>
#include <cuda_bf16.h>
template <class T, int block> __global__ void norm(T* x, T by) { x[threadIdx.x % block] *= by; }`;
    const kernels = ['norm<__half, 128>', 'norm<__nv_bfloat16, 128>', 'norm<float, 256>'];
    const { cubins, lowered } = await compile(request(cuda, { kernels }), [80, 120]);
    expect(new Set(lowered).size).toBe(3);
    for (const { data } of cubins) {
      const parameters = kernelParameters(data);
      expect(lowered.map((name) => parameters.get(name)?.map(({ size }) => size))).toEqual([
        [8, 2],
        [8, 2],
        [8, 4],
      ]);
    }
  });

  test('from a file, with headers beside it and in folders that the options name', async () => {
    const path = write(
      dir,
      'a/kernel.cu',
      '#include "sub/one.cuh"\n#include <three.cuh>\n__global__ void scale(float* x) { *x = one() + three(); }\n',
    );
    write(dir, 'a/sub/one.cuh', '#include "two.cuh"\n__device__ float one() { return two(); }\n');
    write(dir, 'a/sub/two.cuh', '__device__ float two() { return 2; }\n');
    write(dir, 'b/three.cuh', '__device__ float three() { return BY; }\n');
    const options = ['-I', '../b', '-DBY=3', '--use_fast_math'];
    const { cubins } = await compile(request(fileAt(path), { options }));
    expect(cubins).toHaveLength(1);
  });

  test('with lines of the source where they are asked for', async () => {
    const has = async (lineinfo: boolean) => {
      const { cubins } = await compileKernels(request(simple), [90], { env, driver: null, lineinfo });
      return Buffer.from(cubins[0]!.data).includes('.debug_line');
    };
    expect([await has(false), await has(true)]).toEqual([false, true]);
  });

  test('and warnings are passed on, also from the cache', async () => {
    const warned = simple.replace('if (i', 'int unused; if (i');
    for (const _ of [1, 2]) {
      const warnings: string[] = [];
      const onWarning = (one: string) => warnings.push(one);
      await compileKernels(request(warned), [80, 90], { env, driver: null, onWarning });
      expect(warnings).toEqual(['Scale.cu(3): variable "unused" was declared but never referenced']);
    }
  });

  test('not at all where there is no GPU', async () => {
    expect(await compile(request(simple), [])).toMatchObject({
      cubins: [],
      sourceHash: expect.stringMatching(/^\w{64}$/),
    });
  });
});

describe('an error points at the line', () => {
  test('of a file', async () => {
    const path = write(dir, 'wrong.cu', '__global__ void scale(float* x) {\n  x[0] = y;\n}\n');
    const error = await refusal(request(fileAt(path)));
    expect(error.code).toBe('ERR_KERNEL');
    expect(error.cuda).toEqual({ file: path, line: 2, column: 10 });
    expect(error.message).toContain(`${path}:2:10: identifier "y" is undefined`);
    expect(error.message).toMatch(/\n {8}x\[0\] = y;\n {15}\^/);
  });

  test('of a header', async () => {
    const path = write(dir, 'c/kernel.cu', '#include "wrong.cuh"\n__global__ void scale() {}\n');
    const header = write(dir, 'c/wrong.cuh', '\n\n__device__ int f() { return "a" }\n');
    expect((await refusal(request(fileAt(path)))).cuda).toMatchObject({ file: header, line: 3 });
  });

  test('of a string, and says where that was defined', async () => {
    const source = { file: '/app/plugin.ts', line: 7, column: 3 };
    const error = await refusal(request('\n__global__ void scale(float* x) { x.y = 1; }', { source }));
    expect(error.cuda).toMatchObject({ file: 'Scale.cu', line: 2 });
    expect(error.source).toEqual(source);
    expect(error.message).toContain('recorded at /app/plugin.ts:7');
  });

  test('in a template that was made for one dtype only', async () => {
    const cuda = 'template <class T> __global__ void scale(T* x) {\n  x[0].foo = 1;\n}';
    const error = await refusal(request(cuda, { kernels: ['scale<float>'] }));
    expect(error.cuda).toMatchObject({ line: 2 });
    expect(error.message).toContain('with T=float');
  });
});

describe('a kernel that is not there', () => {
  const cuda = `template <class T> __global__ void __launch_bounds__(32 * (1 + 1)) norm(T* x) {}
extern "C" __global__ void fill(float* x) {}
// __global__ void commented(float* x) {}
__device__ void helper(float* x) {}
`;
  test.each([
    [
      'nope',
      /kernel nope of Scale cannot be made from Scale\.cu: identifier "nope" is undefined; it has norm<…>, fill$/,
    ],
    ['helper', /kernel helper .* it has norm<…>, fill$/],
    ['norm', /kernel norm .*cannot determine which instance.* it has norm<…>, fill$/],
    ['norm<__half>', /identifier "__half" is undefined; #include <cuda_fp16\.h> there; it has/],
  ])('%s', async (name, message) => {
    const error = await refusal(request(cuda, { kernels: ['fill', name] }));
    expect(error).toMatchObject({ code: 'ERR_KERNEL', actual: name });
    expect(error.message).toMatch(message);
  });
});

describe('arguments that the kernel does not take', () => {
  const launch = (...sizes: [string, number][]) => [{ kernel: 0, args: sizes.map(([name, size]) => ({ name, size })) }];
  test.each([
    [
      'a size too much',
      [
        ['x', 8],
        ['int64(…)', 8],
        ['by', 4],
      ],
      /argument 2, int64\(…\), has 8 bytes, and the parameter 4 bytes/,
    ],
    [
      'one too few',
      [
        ['x', 8],
        ['int32(…)', 4],
      ],
      /kernel scale takes 3 arguments, given 2 \(x, int32\(…\)\)/,
    ],
    [
      'one too many',
      [
        ['x', 8],
        ['int32(…)', 4],
        ['by', 4],
        ['y', 8],
      ],
      /takes 3 arguments, given 4/,
    ],
    [
      'in another order',
      [
        ['int32(…)', 4],
        ['x', 8],
        ['by', 4],
      ],
      /argument 1, int32\(…\), has 4 bytes, and the parameter 8 bytes/,
    ],
  ] as [string, [string, number][], RegExp][])('%s', async (_, args, message) => {
    const error = await refusal(request(simple, { launches: launch(...args) }));
    expect(error).toMatchObject({ code: 'ERR_KERNEL', expected: [8, 4, 4] });
    expect(error.message).toMatch(message);
  });

  test('but those it takes are', async () => {
    const launches = launch(['x', 8], ['int32(…)', 4], ['by', 4]);
    expect((await compile(request(simple, { launches }))).cubins).toHaveLength(1);
  });
});

describe('options', () => {
  test.each([
    ['--gpu-architecture=sm_90', /--gpu-architecture=sm_90 is not taken: the architecture is that of the GPU/],
    ['-arch=sm_90', /is not taken/],
    ['-o', /is not taken/],
    ['-rdc=true', /kernels are not linked/],
    ['-dlto', /is not taken/],
    ['', /expected options of NVRTC's/],
    ['-Iheaders', /expected the absolute path of a folder, given headers/],
    ['-I', /expected a folder after -I/],
  ])('%s is refused before anything is compiled', async (option, message) => {
    const error = await refusal(request(simple, { options: [option] }));
    expect(error).toMatchObject({ code: 'ERR_KERNEL', option: 'options' });
    expect(error.message).toMatch(message);
  });

  test('that NVRTC does not know are named', async () => {
    expect((await refusal(request(simple, { options: ['--foo'] }))).message).toMatch(/unrecognized option --foo/);
  });
});

describe('sources that cannot be read', () => {
  test('a .cu file that tsc left behind: where it is, and how to copy it', async () => {
    const app = join(dir, 'app');
    const original = write(app, 'src/plugins/scale.cu', simple);
    mkdirSync(join(app, 'dist/plugins'), { recursive: true });
    const wanted = join(app, 'dist/plugins/scale.cu');
    const { message, code } = await refusal(request(fileAt(wanted)));
    expect(code).toBe('ERR_KERNEL');
    expect(message).toContain(`${wanted}: ENOENT`);
    expect(message).toContain(`it is in ${join(original, '..')}`);
    const command = new RegExp(`run this in ${app}: (node -e .*)`).exec(message)![1]!;
    const { execSync } = await import('node:child_process');
    execSync(command, { cwd: app });
    expect(existsSync(wanted)).toBe(true);
    expect((await compile(request(fileAt(wanted)))).cubins).toHaveLength(1);
    rmSync(app, { recursive: true });
  });

  test.each([
    ['a folder', fileAt('/usr'), /\/usr: there is a folder of that name/],
    ['a zero byte', 'a\0b', /zero byte/],
  ])('%s', async (_, cuda, message) => {
    expect((await refusal(request(cuda))).message).toMatch(message);
  });

  test('a header of CUDA that is not there, or has no such name', async () => {
    const { message } = await refusal(request('#include <cuda_nothing.h>\n__global__ void scale() {}'));
    expect(message).toMatch(/open source file "cuda_nothing\.h".*\n[\s\S]*have no cuda_nothing\.h/);
  });

  test('a header beside the working directory, for source that has no folder', async () => {
    const { message } = await refusal(request('#include "package.json"\n__global__ void scale() {}'));
    expect(message).toMatch(/open source file "package\.json"/);
  });
});
