#!/usr/bin/env node
// check-abi.mjs [INCLUDE_DIR…] [--slots FILE] [--enumerators FILE] [--methods FILE] [--callbacks FILE] [--enums FILE]
// Compares every row of methods.def, callbacks.def and enums.def with TensorRT's official headers, or with tables extracted from them.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SetupError } from './install/process.mjs';
import { hasPointer, readHeaders } from './lib/abi-headers.mjs';
import {
  cellAt,
  destructorOf,
  FLAVORS,
  readCallbacks,
  readEnums,
  readMethods,
  readTsv,
  signatureDifference,
  unversioned,
} from './lib/abi-tables.mjs';
import { orExplain } from './setup.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..');
const title = (row) => (row.signature ? `${row.header}::${row.name}` : `${row.type ?? row.header}::${row.name}`);

const slotKey = ({ header, signature }) => `${header}\t${signature}`;

/** Interfaces that the table lacks: only official headers check them. */
const ONLY_IN_HEADERS = new Set(['IPluginV2', 'IPluginV2Ext', 'IPluginV2DynamicExt']);

/** Slots of a method: newer flavors may put its interface in a version namespace. */
function methodSlots(row, slots) {
  const [young, old] = [slots.get(slotKey(row)), slots.get(unversioned(slotKey(row)))];
  return young?.map((cell, i) => (cell === '-' ? (old?.[i] ?? cell) : cell)) ?? old;
}

/** Methods of our callbacks' interfaces that have no row: TensorRT would call whatever is in their slots. */
function missingCallbacks(callbacks, slots) {
  const ours = new Set(callbacks.map((row) => unversioned(slotKey(row))));
  const headers = new Set(callbacks.map((row) => unversioned(row.header)));
  const isMissing = (key) => headers.has(unversioned(key.split('\t')[0])) && !ours.has(unversioned(key));
  return [...slots.keys()].filter(isMissing).map((key) => `${key.replace('\t', '::')}: no row for it here`);
}

function againstTables({ methods, callbacks }, enums, slots, enumerators) {
  const known = new Set([...enumerators.keys()].map((key) => key.split('\t')[0]));
  // Only official headers say when an enumerator was added: the table has the last release's.
  const plain = (row) => (row.type ? row.cells.map((cell) => cell.split('@')[0]) : row.cells);
  const differ = (row, expected) => {
    if (!expected) return [`${title(row)}: no such row (${row.signature ?? 'enumerator'})`];
    const isSame = expected.join() === plain(row).join();
    return isSame ? [] : [`${title(row)}: here ${row.cells.join(' ')}, there ${expected.join(' ')}`];
  };
  return [
    ...methods.filter((row) => !ONLY_IN_HEADERS.has(row.header)).flatMap((row) => differ(row, methodSlots(row, slots))),
    ...callbacks.flatMap((row) => differ(row, methodSlots(row, slots))),
    ...missingCallbacks(callbacks, slots),
    ...[...methods, ...callbacks.filter((row) => !destructorOf(row))].flatMap(
      (row) => signatureDifference(row.ours, row.signature, known) ?? [],
    ),
    ...enums.flatMap((row) => differ(row, enumerators.get(`${row.type}\t${row.name}`))),
  ];
}

async function againstHeaders(include, tables, enums) {
  const { release, flavor, find } = await readHeaders(include, tables, enums);
  const name = `TensorRT${flavor === 'rtx1' ? '-RTX' : ''} ${release.join('.')} (${flavor})`;
  if (flavor === 'trt10' && release[1] === 8)
    throw new SetupError(`${name} is refused when it is loaded, so there is nothing to compare`);
  const column = FLAVORS.indexOf(flavor);
  const differences = [...tables.methods, ...tables.callbacks, ...enums].flatMap((row) => {
    const expected = cellAt(row.cells[column], release);
    const actual = find(row);
    if (actual.number === expected || (actual.error && expected === null)) return [];
    return [`${title(row)}: here ${expected ?? 'absent'}, headers ${actual.number ?? `lack it (${actual.error})`}`];
  });
  const present = [...tables.methods, ...tables.callbacks, ...enums].filter(
    (row) => find(row).number !== undefined,
  ).length;
  for (const row of tables.interfaces.filter(hasPointer)) {
    const actual = find(row);
    // A class added later has no offset yet, but then it has no methods either.
    const isUsed = tables.methods.some((method) => method.header === row.header && find(method).number !== undefined);
    if (isUsed && actual.number !== row.offset)
      differences.push(`${row.header}: pointer at ${row.offset} here, ${actual.number ?? actual.error} in the headers`);
  }
  return { name: `${name}, ${present} rows present`, differences };
}

function report(name, count, differences) {
  for (const difference of differences) console.log(`  ${difference}`);
  console.log(
    `${name}: ${differences.length ? `${differences.length} of ${count} rows differ` : `${count} rows agree`}`,
  );
  if (differences.length) process.exitCode = 1;
}

await orExplain(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: Object.fromEntries(
      ['slots', 'enumerators', 'methods', 'callbacks', 'enums'].map((name) => [name, { type: 'string' }]),
    ),
  });
  const native = join(root, 'native', 'tensorrt');
  const tables = {
    ...readMethods(values.methods ?? join(native, 'methods.def')),
    callbacks: readCallbacks(values.callbacks ?? join(native, 'callbacks.def')),
  };
  const enums = readEnums(values.enums ?? join(native, 'enums.def'));
  const count = tables.methods.length + tables.callbacks.length + enums.length;
  for (const include of positionals) {
    const { name, differences } = await againstHeaders(resolve(include), tables, enums);
    report(name, count, differences);
  }
  if (positionals.length) return;
  const slots = values.slots ?? join(root, '..', 'shared', 'abi', 'slots.tsv');
  if (!existsSync(slots)) throw new SetupError(`expected INCLUDE_DIR, or --slots FILE; there is no ${slots}`);
  const enumerators = readTsv(values.enumerators ?? join(dirname(slots), 'enums.tsv'));
  report(slots, count, againstTables(tables, enums, readTsv(slots), enumerators));
});
