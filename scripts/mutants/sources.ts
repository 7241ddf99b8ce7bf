import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

/** A file that mutants change: a layer kind's lowering or CPU mapping, or code that several of them share. */
export interface Target {
  side: 'native' | 'cpu';
  /** The kind, or the file's name. */
  name: string;
  /** Relative to the root. */
  path: string;
  text: string;
  role: 'kind' | 'shared';
  /** Kinds that import a shared CPU mapping. */
  users?: string[];
}

const files = (root: string, folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();

/** The only file in a folder or its subfolders that has this name and this text. */
function theFile(root: string, folder: string, name: string, text: RegExp): { path: string; text: string } {
  const found = files(root, folder)
    .filter((path) => basename(path) === name)
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter((file) => text.test(file.text));
  if (found.length === 1) return found[0]!;
  const given = found.length ? found.map(({ path }) => path).join(', ') : 'none';
  throw new Error(`${folder}/**/${name}: expected one file with ${text}, found ${given}`);
}

/** Rows of table.def: a kind, and whether it is composed of other layers if a release lacks it. */
export function layerRows(root: string): { kind: string; replaced: boolean }[] {
  const { text } = theFile(root, 'native', 'table.def', /^LAYER\(/m);
  return [...text.matchAll(/^(LAYER|DECOMPOSED|BEYOND_TRT10)\((\w+),/gm)].map(([, row, kind]) => ({
    kind: kind!,
    replaced: row !== 'LAYER',
  }));
}

/** Enumerators of enums.def, in the IR's spelling. */
export function enumerators(root: string): Map<string, string[]> {
  const { text } = theFile(root, 'native', 'enums.def', /^ENUM\(/m);
  const enums = new Map<string, string[]>();
  // TensorRT-RTX would refuse a value it lacks.
  for (const [, name, value] of text.matchAll(/^ENUM\((\w+), k(\w+), "[^"]+", "[^"]+", "\d[^"]*"\)$/gm))
    enums.set(name!, [...(enums.get(name!) ?? []), value!.toLowerCase()]);
  return enums;
}

/** Shared files of the lowering and of the build, by a text that only they contain. */
const sharedNative: readonly (readonly [string, RegExp])[] = [
  ['lower.cc', /Lowering::lower_node/],
  ['reshape.h', /reshape_by_axes\(/],
  ['pad.h', /pad_by_slice\(/],
  ['options.cc', /apply_options\(/],
  ['profiles.cc', /add_profiles\(/],
];

const importersOf = (name: string, layers: readonly { name: string; text: string }[]): string[] =>
  layers.filter(({ text }) => new RegExp(`/${basename(name, '.ts')}\\.js'`).test(text)).map((layer) => layer.name);

/** Every file that mutants change. */
export function targets(root: string): Target[] {
  const kinds = layerRows(root).map(({ kind }) => kind);
  const native = kinds.map((kind) => ({
    name: kind,
    ...theFile(root, 'native', `${kind}.cc`, new RegExp(`\\blower_${kind}\\(`)),
  }));
  const shared = sharedNative.map(([name, text]) => ({ name, ...theFile(root, 'native', name, text) }));
  const layers = kinds.map((kind) => ({
    name: kind,
    ...theFile(root, 'src', `${kind}.ts`, new RegExp(`kind: '${kind}'`)),
  }));
  const known = new Set(layers.map(({ path }) => path));
  const mappings = files(root, 'src/layers')
    .filter((path) => path.endsWith('.ts') && !known.has(path))
    .map((path) => ({ name: basename(path), path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => /\bg: CpuGraph\b/.test(text))
    .map((file) => ({ ...file, users: importersOf(file.name, layers) }));
  const backend = files(root, 'src/cpu')
    .filter((path) => /^(graph|lower|onnx|protobuf)\.ts$/.test(basename(path)))
    .map((path) => ({ name: basename(path), path, text: readFileSync(join(root, path), 'utf8') }));
  return [
    ...native.map((file) => ({ side: 'native', role: 'kind', ...file }) as const),
    ...shared.map((file) => ({ side: 'native', role: 'shared', ...file }) as const),
    ...layers.map((file) => ({ side: 'cpu', role: 'kind', ...file }) as const),
    ...[...mappings, ...backend].map((file) => ({ side: 'cpu', role: 'shared', ...file }) as const),
  ];
}

/** Test files in a folder of test/ and its subfolders, by name. */
export function testFiles(root: string, folder: string): string[] {
  try {
    return files(root, folder).filter((path) => path.endsWith('.test.ts'));
  } catch {
    return [];
  }
}
