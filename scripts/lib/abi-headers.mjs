import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiler } from '../install/prerequisites.mjs';
import { capture, SetupError } from '../install/process.mjs';
import { cellAt, destructorOf, FLAVORS, parseSignature, unversioned } from './abi-tables.mjs';

// Everything that TensorRT's headers use from CUDA, for machines without it.
const CUDA_STUB = `#pragma once
typedef struct CUstream_st* cudaStream_t;
typedef struct CUevent_st* cudaEvent_t;
`;

/** Flavor of a major release. */
const FLAVOR = { 10: 'trt10', 11: 'trt11', 1: 'rtx1' };

function methodLine({ header, signature }, index) {
  const { result, name, args, isConst } = parseSignature(signature);
  return `{ ${result} (${header}::*p)(${args})${isConst ? ' const' : ''} = &${header}::${name}; slot(${index}, &p); }`;
}

/** A class with all methods of an interface that TensorRT calls on our objects. Each entry is called, to find the destructor's. */
function destructorLine(row, index, methods) {
  const overrides = methods.map(({ signature }) => {
    const { result, name, args, isConst } = parseSignature(signature);
    const body = result.trim() === 'void' ? '' : 'return {};';
    return `${result} ${name}(${args})${isConst ? ' const' : ''} noexcept override { ${body} }`;
  });
  const type = `using I = ${row.header}; struct P : I { ~P() noexcept override { ended++; } void operator delete(void*) { freed++; } ${overrides.join(' ')} };`;
  return `{ ${type} destructor(${index}, ${methods.length + 2}, ${Number(destructorOf(row) === 'D0')}, [](void* at) -> void* { return new (at) P; }); }`;
}

/** Whether an interface's handles point to an implementation. Those at 0 are called through their own table. */
export const hasPointer = ({ offset }) => offset !== 0;

/** Members are protected, so a derived class reads them. */
function offsetLine({ header }, index) {
  const type = header.replace(/^apiv::V/, 'I').replace('IConditionalBoundary', 'IIfConditionalBoundary');
  const member = type === 'ILayer' ? 'mLayer' : /Boundary/.test(type) ? 'mBoundary' : 'mImpl';
  return `{ struct P : ${type} { static auto member() { return &P::${member}; } }; auto p = P::member(); offset(${index}, &p); }`;
}

const enumLine = ({ type, name }, index) => `value(${index}, ${type}::${name});`;

const PROLOGUE = `#include <cstddef>
#include <cstdio>
#include <cstring>
#include <new>
#include <NvInfer.h>
using namespace nvinfer1;
// Itanium C++ ABI: a pointer to a virtual member holds 1 + 8 * slot; a pointer to data its offset.
static void slot(int row, void const* p) { long v; std::memcpy(&v, p, sizeof v); std::printf("%d %ld\\n", row, v % 8 == 1 ? v / 8 : -1); }
static void offset(int row, void const* p) { long v; std::memcpy(&v, p, sizeof v); std::printf("%d %ld\\n", row, v); }
static int ended, freed;
static void destructor(int row, int entries, int frees, void* (*make)(void*)) {
  int found = -1;
  for (int i = 0; i < entries && found < 0; i++) {
    alignas(16) char bytes[256];
    void* p = make(bytes);
    ended = freed = 0;
    (*static_cast<void (***)(void*)>(p))[i](p);
    if (ended == 1 && freed == frees) found = i;
  }
  std::printf("%d %d\\n", row, found);
}
template <class E> static void value(int row, E e) { static_assert(sizeof(E) == 4); std::printf("%d %ld\\n", row, static_cast<long>(e)); }
static_assert(sizeof(Dims64) == 72 && offsetof(Dims64, d) == 8 && sizeof(Permutation) == 32);
static_assert(sizeof(Weights) == 24 && offsetof(Weights, values) == 8 && offsetof(Weights, count) == 16);
int main() {
`;

/**
 * Looks rows up in official headers.
 * @returns {Promise<{ release: number[], flavor: string, find: (row: object) => { number: number } | { error: string } }>}
 */
export async function readHeaders(include, { interfaces, methods, callbacks }, enums) {
  const dir = mkdtempSync(join(tmpdir(), 'check-abi-'));
  try {
    writeFileSync(join(dir, 'cuda_runtime_api.h'), CUDA_STUB);
    const gxx = compiler();
    if (!gxx) throw new SetupError('check:abi with headers needs a C++ compiler');
    const flags = ['-std=c++17', '-w', '-fmax-errors=0', '-I', include, '-idirafter', dir];
    const release = await readRelease(gxx, flags, dir, include);
    const flavor = FLAVOR[release[0]];
    if (!flavor) throw new SetupError(`${include}: no flavor for TensorRT ${release.join('.')}; known are ${FLAVORS}`);

    const rows = [...interfaces.filter(hasPointer), ...methods, ...callbacks, ...enums];
    const isPresent = (row) => cellAt(row.cells[FLAVORS.indexOf(flavor)], release) !== null;
    const siblings = (row) =>
      callbacks.filter((other) => other.header === row.header && isPresent(other) && !destructorOf(other));
    const line = (row, index) => {
      if (row.callback && destructorOf(row)) return destructorLine(row, index, siblings(row));
      return (row.signature ? methodLine : 'offset' in row ? offsetLine : enumLine)(row, index);
    };
    const lines = rows.map(line);
    const errors = new Map();
    // Rows that these headers lack do not compile: each pass drops them, or tries them without version namespaces.
    // An interface of a second version never was without one.
    const withoutVersion = (text) => (/\bv_2_0::I\w+::/.test(text) ? '' : unversioned(text));
    for (const rewrite of [withoutVersion, () => '']) {
      const failed = await compile(gxx, flags, dir, lines);
      for (const [index, error] of failed) {
        lines[index] = rewrite(lines[index]);
        if (lines[index] === '') errors.set(rows[index], error);
      }
    }
    const failed = await compile(gxx, flags, dir, lines);
    if (failed.size) throw new SetupError(`${include}: ${[...failed.values()].join('\n')}`);
    const { code, output } = await capture(join(dir, 'program'), []);
    if (code !== 0) throw new SetupError(`the generated program failed:\n${output}`);
    const numbers = new Map(
      output
        .trimEnd()
        .split('\n')
        .map((text) => text.split(' ').map(Number)),
    );
    const indices = new Map(rows.map((row, index) => [row, index]));
    const find = (row) => {
      const number = numbers.get(indices.get(row));
      return number === undefined ? { error: errors.get(row) ?? 'not printed' } : { number };
    };
    return { release, flavor, find };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function readRelease(gxx, flags, dir, include) {
  const source = join(dir, 'version.cc');
  writeFileSync(source, '#include <NvInferVersion.h>\nNV_TENSORRT_MAJOR.NV_TENSORRT_MINOR.NV_TENSORRT_PATCH\n');
  const { output } = await capture(gxx, [...flags, '-E', '-P', source]);
  const version = /(\d+)\s*\.\s*(\d+)\s*\.\s*(\d+)\s*$/.exec(output);
  if (!version) throw new SetupError(`${include}: no NvInferVersion.h that states the release\n${output}`);
  return version.slice(1).map(Number);
}

/** Compiles the rows, one to a line; returns the first error of each row that fails. */
async function compile(gxx, flags, dir, lines) {
  const source = join(dir, 'program.cc');
  const first = PROLOGUE.split('\n').length;
  writeFileSync(source, `${PROLOGUE}${lines.join('\n')}\n}\n`);
  const { code, output } = await capture(gxx, [...flags, '-O0', source, '-o', join(dir, 'program')]);
  const failed = new Map();
  for (const [, line, error] of output.matchAll(/program\.cc:(\d+):\d+: error: (.*)/g)) {
    const index = Number(line) - first;
    if (index < 0) throw new SetupError(`the headers do not fit this check: ${error}`);
    if (!failed.has(index)) failed.set(index, error);
  }
  if (code !== 0 && failed.size === 0) throw new SetupError(`compiling against the headers failed:\n${output}`);
  return failed;
}
