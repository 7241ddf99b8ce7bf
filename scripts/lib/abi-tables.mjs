import { readFileSync } from 'node:fs';
import { SetupError } from '../install/process.mjs';

export const FLAVORS = ['trt10', 'trt11', 'rtx1'];

const ROWS = {
  INTERFACE: /^INTERFACE\((\w+), (\w+), (\d+), "([^"]+)"\)$/,
  METHOD: /^METHOD\((\w+), (\w+), (.+), "([^"]+)", "([^"]+)", "([^"]+)", "([^"]+)"\)$/,
  CALLBACKS: /^CALLBACKS\((\w+), "([^"]+)"\)$/,
  CALLBACK: /^CALLBACK\((\w+), (\w+), (.+), "([^"]+)", "([^"]+)", "([^"]+)", "([^"]+)"\)$/,
  ENUM: /^ENUM\((\w+), (\w+), "([^"]+)", "([^"]+)", "([^"]+)"\)$/,
};

/** Cells of all rows of a kind. A row that does not parse is an error. */
function rows(path, kind) {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines
    .filter((line) => line.startsWith(`${kind}(`))
    .map((line) => {
      const match = ROWS[kind].exec(line.trimEnd());
      if (!match) throw new SetupError(`${path}: cannot read the row ${line}`);
      return match.slice(1);
    });
}

/** methods.def as { interfaces, methods }. */
export function readMethods(path) {
  const interfaces = new Map(
    rows(path, 'INTERFACE').map(([name, handle, offset, header]) => [name, { name, handle, offset: +offset, header }]),
  );
  const methods = rows(path, 'METHOD').map(([itf, name, ours, signature, ...cells]) => {
    if (!interfaces.has(itf)) throw new SetupError(`${path}: METHOD of unknown interface ${itf}`);
    return { header: interfaces.get(itf).header, name, ours, signature, cells };
  });
  return { interfaces: [...interfaces.values()], methods };
}

/** callbacks.def: its rows, each with the class it belongs to. */
export function readCallbacks(path) {
  const headers = new Map(rows(path, 'CALLBACKS'));
  return rows(path, 'CALLBACK').map(([type, name, ours, signature, ...cells]) => {
    if (!headers.has(type)) throw new SetupError(`${path}: CALLBACK of unknown class ${type}`);
    return { callback: type, header: headers.get(type), name, ours, signature, cells };
  });
}

/** Which entry of the destructor a row is, 'D1' or 'D0'; undefined for other methods. */
export const destructorOf = ({ signature }) => /^~\w+\(\) \[(D[01])\]$/.exec(signature)?.[1];

/** Later headers added the version namespaces v_1_0 and v_2_0; earlier ones have the type outside. */
export const unversioned = (text) => text.replace(/\bv_\d+_\d+::/g, '');

/** enums.def */
export function readEnums(path) {
  return rows(path, 'ENUM').map(([type, name, ...cells]) => ({ type, name, cells }));
}

/** A table of two key columns and one column per flavor, as a map from both keys to the cells. */
export function readTsv(path) {
  const [head, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  if (head.split('\t').slice(2).join() !== FLAVORS.join())
    throw new SetupError(`${path}: expected columns ${FLAVORS}, found ${head}`);
  return new Map(
    lines.map((line) => {
      const [first, second, ...cells] = line.split('\t');
      return [`${first}\t${second}`, cells];
    }),
  );
}

/** Number in a cell for a release [major, minor, patch]; null if absent. */
export function cellAt(cell, release) {
  if (cell === '-') return null;
  const [number, since] = cell.split('@');
  const parts = since ? since.split('.').map(Number) : [0];
  for (let i = 0; i < 3; i++) if (release[i] !== (parts[i] ?? 0)) return release[i] > (parts[i] ?? 0) ? +number : null;
  return +number;
}

const SCALARS = { int: 'int32_t', 'unsigned int': 'uint32_t', long: 'int64_t', 'unsigned long': 'uint64_t' };

/** How a type is passed: scalars and structs by name, pointers and references with what they point to. */
function passed(type, enums) {
  const plain = type
    .replace(/\bconst\b/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  if (/[*&]$/.test(plain)) {
    const target = passed(plain.slice(0, -1), enums);
    return /^(u?int\d+_t|bool|float|char|Dims|Weights|Permutation)$|\*$/.test(target) ? `${target}*` : 'object*';
  }
  const name = SCALARS[plain] ?? (plain === 'Dims64' ? 'Dims' : plain);
  return enums.has(name) ? 'int32_t' : name;
}

/** "R name(A, B) const", or "R(A, B)" → { result, name, args, isConst } */
export function parseSignature(signature) {
  const [, result, name, args, suffix] = /^(.*?)(?:(?<=[\s*&])(\w+))?\((.*)\)\s*(const)?$/.exec(signature);
  return { result, name, args: args ? args.split(/,\s*/) : [], isConst: suffix === 'const' };
}

/** Why our C++ signature passes different registers or bytes from the header's; null if it does not. */
export function signatureDifference(ours, theirs, enums) {
  const describe = ({ result, args }) => [result, ...args].map((type) => passed(type, enums));
  const [a, b] = [describe(parseSignature(ours)), describe(parseSignature(theirs))];
  const isSame = a.length === b.length && a.every((type, i) => type === b[i]);
  return isSame ? null : `${ours} passes (${a}), but ${theirs} passes (${b})`;
}
