import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AttributeField } from '../../src/plugin/binding.js';
import { evaluateExpressions } from '../../src/plugin/evaluate.js';
import type { Argument, IntegerType, Pointer, Recipe, Step } from '../../src/plugin/recipe.js';
import { byteLength } from '../../src/values/dtype.js';

/** A layer of a plugin, at given sizes of its inputs. */
export interface KernelRun {
  recipe: Recipe;
  attributes: readonly AttributeField[];
  dims: readonly (readonly number[])[];
}

const stubs = fileURLToPath(new URL('cuda-on-cpu', import.meta.url));

const cTypes: Record<IntegerType, string> = {
  int8: 'int8_t',
  uint8: 'uint8_t',
  int16: 'int16_t',
  uint16: 'uint16_t',
  int32: 'int32_t',
  uint32: 'uint32_t',
  int64: 'int64_t',
  uint64: 'uint64_t',
  bool: 'bool',
};

const bytesOf = (dtype: Parameters<typeof byteLength>[0], dims: readonly bigint[]) =>
  byteLength(dtype, Number(dims.reduce((a, b) => a * b, 1n)));

/** One run as C++: what it launches, with all sizes as numbers. */
function program({ recipe, attributes, dims }: KernelRun, tactic: number): string {
  const values = evaluateExpressions(recipe, dims);
  const lines: string[] = [];
  const inputBytes = recipe.inputs.map(({ dtype }, i) => bytesOf(dtype, dims[i]!.map(BigInt)));
  const outputBytes = recipe.outputs.map((one) =>
    bytesOf(
      one.dtype,
      one.dims.map((dim) => values[dim]!),
    ),
  );
  for (const [i, bytes] of inputBytes.entries()) lines.push(`Pointer in${i} = readBuffer(${bytes});`);
  for (const [i, { alias }] of recipe.outputs.entries())
    lines.push(`Pointer out${i} = ${alias < 0 ? `newBuffer(${outputBytes[i]})` : `in${alias}`};`);
  lines.push(`Pointer workspace = newBuffer(${values[recipe.workspace]});`);

  const pointer = (to: Pointer) =>
    to.to === 'workspace'
      ? `Pointer{static_cast<char*>(workspace.address) + ${values[to.offset]}}`
      : `${to.to === 'input' ? 'in' : 'out'}${to.index}`;
  const attribute = ({ type, data }: AttributeField) => {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if (type === 'float32') return `Exactly<float>{bits<float>(${view.getUint32(0, true)}u)}`;
    if (type === 'int32') return `Exactly<int32_t>{${view.getInt32(0, true)}}`;
    if (type === 'int8') return `Exactly<int8_t>{${view.getInt8(0)}}`;
    throw new Error(`an attribute of type ${type} is not translated`);
  };
  const argument = (one: Argument): string => {
    switch (one.kind) {
      case 'pointer':
        return pointer(one.pointer);
      case 'integer':
        return `Exactly<${cTypes[one.type]}>{${values[one.expression]}}`;
      case 'attribute':
        return attribute(attributes[one.attribute]!);
      default:
        throw new Error(`an argument of kind ${one.kind} is not translated`);
    }
  };
  const step = (one: Step) => {
    if (one.kind === 'fill') return `std::memset(${pointer(one.target)}.address, ${one.byte}, ${values[one.bytes]});`;
    const [grid, block] = [one.grid, one.block].map(
      (sizes) => `{${sizes.map((size) => `${values[size]}u`).join(', ')}}`,
    );
    const call = `${recipe.kernels[one.kernel]}(${one.args.map(argument).join(', ')})`;
    return `launch(${grid}, ${block}, ${values[one.sharedMemory]}, [&] { ${call}; });`;
  };
  lines.push(...recipe.tactics[tactic]!.map(step));
  for (const [i, bytes] of outputBytes.entries()) lines.push(`writeBuffer(out${i}, ${bytes});`);
  return lines.join('\n      ');
}

/** Kernels that run here, without a GPU; see cuda-on-cpu/cuda-on-cpu.h. */
export class CpuKernels {
  readonly #folder = mkdtempSync(join(tmpdir(), 'cuda-on-cpu-'));
  readonly #runs: readonly KernelRun[];
  readonly #places = new Map<string, number>();

  /** Compiles a source for all runs, and for all their tactics. */
  constructor(file: URL, runs: readonly KernelRun[]) {
    this.#runs = runs;
    const source = readFileSync(file, 'utf8').replace(
      /extern __shared__ (\w+) (\w+)\[\];/g,
      '$1* const $2 = static_cast<$1*>(dynamicShared);',
    );
    const programs = runs.flatMap((run, i) =>
      run.recipe.tactics.map((_, tactic) => {
        this.#places.set(`${i}/${tactic}`, this.#places.size);
        return program(run, tactic);
      }),
    );
    const cases = programs.map((text, i) => `    case ${i}: {\n      ${text}\n      break;\n    }`);
    const main = `int main(int, char** argv) {\n  switch (std::atoi(argv[1])) {\n${cases.join('\n')}\n  }\n}\n`;
    const path = join(this.#folder, 'main.cc');
    writeFileSync(path, `#include "cuda-on-cpu.h"\n${source}\n${main}`);
    const flags = ['-std=c++20', '-O1', '-pthread', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    execFileSync('g++', [...flags, '-I', stubs, '-o', join(this.#folder, 'main'), path], { stdio: 'pipe' });
  }

  /** Bytes of the outputs, of a run with these bytes of its inputs. An output whose size the kernel computes is as large as it can be. */
  run(index: number, inputs: readonly Uint8Array[], tactic = 0): Uint8Array[] {
    const { recipe, dims } = this.#runs[index]!;
    const { status, signal, stdout, stderr } = spawnSync(
      join(this.#folder, 'main'),
      [String(this.#places.get(`${index}/${tactic}`))],
      { input: Buffer.concat(inputs), maxBuffer: 2 ** 26, env: { ASAN_OPTIONS: 'detect_leaks=0' } },
    );
    if (status !== 0) throw new Error(`the kernel ended with ${signal ?? status}: ${stderr}`);
    const values = evaluateExpressions(recipe, dims);
    let at = 0;
    return recipe.outputs.map((one) => {
      const bytes = bytesOf(
        one.dtype,
        one.dims.map((dim) => values[dim]!),
      );
      at += bytes;
      return new Uint8Array(stdout.subarray(at - bytes, at));
    });
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
