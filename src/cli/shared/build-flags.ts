import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { expectation, type SchemaIssue } from '../../errors/wording.js';
import { optionTable, refusedOptions } from '../../tensorrt/compile/option-table.js';
import type { BuildOptions } from '../../tensorrt/compile/options.js';
import { optionNotes } from '../option-notes.generated.js';
import { escapeForTerminal } from './output.js';

/** Given by flags of their own, or by no flag. */
const others = new Set(['profiles', 'signal', 'onLog', 'onProgress']);
/** The heading of the build options in `--help`. */
export const buildGroup =
  'Build options (a flag of yes and no is turned off by --no-…; bytes may be written as 512MiB):';

type Row = readonly [name: string, schema: z.ZodType];
const rows: readonly Row[] = Object.entries(optionTable)
  .filter(([name]) => !others.has(name))
  .map(([name, { schema }]) => [name, schema as z.ZodType]);

/** `tacticSources` → `tactic-sources` */
export const flagOf = (name: string): string => name.replace(/[A-Z]+/g, (capitals) => `-${capitals.toLowerCase()}`);

const units: Readonly<Record<string, number>> = { '': 0, ki: 10, mi: 20, gi: 30, ti: 40 };

/** A whole number; `512MiB` is 512 · 2²⁰. */
export function wholeNumber(text: string): number {
  const [, digits, unit = ''] = /^(-?\d+)\s*(?:([kmgt]i)b?)?$/i.exec(text) ?? [];
  const value = digits === undefined ? Number.NaN : Number(digits) * 2 ** units[unit.toLowerCase()]!;
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError(`Expected a whole number, given ${escapeForTerminal(JSON.stringify(text))}.`);
}

const inner = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodOptional ? inner(schema.unwrap() as z.ZodType) : schema;

/** How a flag's text becomes an option's value. */
interface Reading {
  argument: string;
  read(text: string, before: unknown): unknown;
  choices?: readonly string[] | undefined;
}

function readingOf(schema: z.ZodType): Reading {
  if (schema instanceof z.ZodNumber || schema instanceof z.ZodLiteral) return { argument: '<n>', read: wholeNumber };
  if (schema instanceof z.ZodEnum) {
    const choices = schema.options.map(String);
    return { argument: `<${choices.join('|')}>`, read: (text) => text };
  }
  if (schema instanceof z.ZodArray) {
    const element = readingOf(inner(schema.element as z.ZodType));
    return {
      argument: `<${element.argument.slice(1, -1)},…>`,
      // A comma is a part of no name here; paths with one can be given in the API.
      read: (text, before) => [
        ...((before as unknown[]) ?? []),
        ...text.split(',').map((one) => element.read(one, undefined)),
      ],
    };
  }
  if (schema instanceof z.ZodObject) {
    const shape = schema.shape as Record<string, z.ZodType>;
    return {
      argument: '<name=value,…>',
      read: (text, before) => ({
        ...(before as object),
        ...Object.fromEntries(text.split(',').map((part) => entry(shape, part))),
      }),
    };
  }
  if (schema instanceof z.ZodString) return { argument: '<text>', read: (text) => text };
  return { argument: '[path]', read: (text) => text };
}

function entry(shape: Readonly<Record<string, z.ZodType>>, part: string): [string, unknown] {
  const [name = '', ...rest] = part.split('=');
  const schema = Object.hasOwn(shape, name) ? inner(shape[name]!) : undefined;
  if (!schema)
    throw new InvalidArgumentError(
      `Expected ${Object.keys(shape).join(', ')}, given ${escapeForTerminal(JSON.stringify(name))}.`,
    );
  const text = rest.join('=');
  if (!(schema instanceof z.ZodBoolean)) return [name, readingOf(schema).read(text, undefined)];
  if (!['', 'true', 'false'].includes(text)) throw new InvalidArgumentError(`Expected ${name}=true or ${name}=false.`);
  return [name, text !== 'false'];
}

/** Checks by the option's own schema, so that a wrong value is wrong usage. */
function checked(schema: z.ZodType, value: unknown, text: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return value;
  const expected = expectation(parsed.error.issues[0] as SchemaIssue);
  throw new InvalidArgumentError(`Expected ${expected}, given ${escapeForTerminal(text)}.`);
}

/** A flag for every build option, from their table. */
export function addBuildFlags(command: Command): Command {
  for (const [name, schema] of rows) {
    const flag = flagOf(name);
    const note = optionNotes[name] ?? '';
    if (schema instanceof z.ZodBoolean) {
      command.addOption(new Option(`--${flag}`, note).helpGroup(buildGroup));
      command.addOption(new Option(`--no-${flag}`).hideHelp());
      continue;
    }
    const { argument, read } = readingOf(schema);
    const option = new Option(`--${flag} ${argument}`, note).helpGroup(buildGroup);
    option.argParser((text: string, before: unknown) => checked(schema, read(text, before), text));
    command.addOption(option);
  }
  for (const [name, why] of Object.entries(refusedOptions)) {
    const option = new Option(`--${flagOf(name)} [value]`).hideHelp();
    option.argParser(() => refuse(why)).preset('');
    command.addOption(option);
  }
  return command;
}

function refuse(why: string): never {
  throw new InvalidArgumentError(`It is not offered: ${why}.`);
}

/** What the flags gave, under the API's names. */
export const buildOptionsOf = (flags: Readonly<Record<string, unknown>>): BuildOptions =>
  Object.fromEntries(rows.flatMap(([name]) => (flags[name] === undefined ? [] : [[name, flags[name]]])));
