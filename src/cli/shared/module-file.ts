import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TensorRTError } from '../../errors/error.js';
import { show } from '../../errors/wording.js';
import { reasonOf } from '../../write-file.js';
import { reserveOutput } from './output.js';
import { importOwnPackage, registerOwnPackage } from './own-package.js';

/** Milliseconds that code of a file may take before it counts as stuck. Code that never comes to rest holds the process all the same. */
export const longestLoad = 600_000;

/**
 * The exports of a module. TypeScript needs Node 22.18, or tsx, which is used if the module's folder has it. What the module prints goes to
 * standard error.
 * @throws ERR_MODEL_FILE, and what the module throws of ours
 */
export async function importModule(path: string, limit: number = longestLoad): Promise<Record<string, unknown>> {
  const file = resolve(path);
  await requireFile(path, file);
  reserveOutput();
  // It gives networks the methods that the module calls.
  await import('../../index.js');
  await importOwnPackage();
  return await settled(path, 'the module', limit, () => load(path, file));
}

/** @throws ERR_MODEL_FILE */
export function refuse(
  path: string,
  said: string,
  facts: { cause?: unknown; expected?: unknown; actual?: unknown } = {},
): never {
  throw new TensorRTError('ERR_MODEL_FILE', `${path}: ${said}`, facts);
}

async function requireFile(path: string, file: string): Promise<void> {
  try {
    if ((await stat(file)).isFile()) return;
  } catch (cause) {
    const isGone = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    refuse(
      path,
      isGone ? `there is no such file${path === file ? '' : `: ${file}`}` : `it cannot be read: ${reasonOf(cause)}`,
      { cause },
    );
  }
  refuse(path, 'expected a JavaScript or TypeScript module');
}

/** Imports the module; where Node does not know TypeScript, through tsx. */
async function load(path: string, file: string): Promise<Record<string, unknown>> {
  const { href } = pathToFileURL(file);
  try {
    return await import(href);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error;
    await registerTsx(path, file, error as Error);
    // The failure stays with the first URL.
    return await import(`${href}?tsx`);
  }
}

async function registerTsx(path: string, file: string, cause: Error): Promise<void> {
  let found: string;
  try {
    found = createRequire(file).resolve('tsx/esm');
  } catch {
    if (!/\.[cm]?ts$/.test(file)) throw cause;
    refuse(
      path,
      `it is TypeScript, which Node ${process.versions.node} does not run: use Node 22.18 or later, or install tsx beside it`,
      { cause },
    );
  }
  await import(pathToFileURL(found).href);
  // The hooks registered last come first.
  await registerOwnPackage();
}

/**
 * What `work` gives, unless it takes longer than the limit, waits for what never comes, or ends the process.
 * @param doing what is awaited, for messages
 */
export async function settled<T>(path: string, doing: string, limit: number, work: () => Promise<T>): Promise<T> {
  let fail: (said: string) => void;
  const failure = new Promise<never>((_, reject) => {
    fail = (said) => reject(new TensorRTError('ERR_MODEL_FILE', `${path}: ${doing} ${said}`));
  });
  // Node's own end of a process that waits for nothing any more.
  const idle = () => fail('never ends: it awaits what nothing will settle');
  const gone = () => {
    process.stderr.write(`error: ${path}: ${doing} ended the process\n`);
    process.exitCode = process.exitCode || 1;
  };
  const timer = setTimeout(() => fail(`has not ended after ${limit / 1000} s`), limit);
  timer.unref();
  process.once('beforeExit', idle);
  process.once('exit', gone);
  try {
    return await Promise.race([work(), failure]);
  } catch (error) {
    throw described(path, doing, error);
  } finally {
    clearTimeout(timer);
    process.off('beforeExit', idle);
    process.off('exit', gone);
  }
}

/** Errors of ours say where; of others, the first place in their stack that is no part of Node. */
function described(path: string, doing: string, error: unknown): TensorRTError {
  if (error instanceof TensorRTError) return error;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : show(error);
  const place = error instanceof Error ? placeIn(error) : '';
  const isPlaceless = error instanceof SyntaxError && place === '';
  const hint = isPlaceless ? `\nnode --check ${path} shows the line` : hintFor(error as NodeJS.ErrnoException);
  return new TensorRTError('ERR_MODEL_FILE', `${path}: ${doing} threw ${text}${place}${hint}`, { cause: error });
}

function placeIn({ stack = '', message }: Error): string {
  // A syntax error begins with the place, before the message.
  const before = stack.slice(0, Math.max(0, stack.indexOf(message)));
  const head = /^(\S+:\d+)\n/.exec(before)?.[1];
  const frame = stack
    .slice(stack.indexOf(message) + message.length)
    .split('\n')
    .find((line) => /^\s+at .*(file:\/\/|\()?\/.*:\d+:\d+\)?$/.test(line) && !/node:|node_modules|data:/.test(line));
  const place = head ?? frame?.trim().replace(/^at /, '');
  return place ? `\n  at ${place.replaceAll('file://', '').replace('?tsx', '')}` : '';
}

function hintFor(error: NodeJS.ErrnoException): string {
  if (error?.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return '\nNode only leaves types out; for enums, namespaces and parameter properties run the command under tsx: node --import tsx …';
  const isMissing = error?.code === 'ERR_MODULE_NOT_FOUND' && /\.js'/.test(error.message);
  return isMissing && (process.features as { typescript?: unknown }).typescript
    ? "\nNode takes imports as they are written: name a TypeScript file './network.ts', or run the command under tsx: node --import tsx …"
    : '';
}
