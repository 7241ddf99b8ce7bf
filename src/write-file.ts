import { createHash, randomBytes } from 'node:crypto';
import { constants, readFileSync, readlinkSync, type Stats } from 'node:fs';
import {
  access,
  chmod,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { getSystemErrorMap } from 'node:util';

/** Appends bytes to the file. */
export type Append = (bytes: Uint8Array) => Promise<void>;

const chunk = 64 * 2 ** 20;
const day = 86_400_000;
const mostLinks = 40;

/**
 * Writes a file so that readers see the old or the new content, never a mix: beside the old one, which it then replaces. The
 * old mode and owner stay, and so do links that lead there. Devices, FIFOs and open files in /proc are written as they are.
 * Nothing is left behind if it fails; what a killed process left is removed by the next one that writes into the folder.
 * @throws what `fill` throws, and Node's errors; `reasonOf` words those
 */
export async function writeFileWhole(path: string, fill: (append: Append) => Promise<void>): Promise<void> {
  const there = await stat(path).catch(ifAbsent);
  const target = there?.isFile() === false ? undefined : await followLinks(path);
  if (target === undefined) return writeThrough(path, there, fill);
  if (there) await access(target, constants.W_OK);
  const folder = dirname(target);
  await requireFolder(target);
  const removal = removeAbandoned(folder);
  const temporary = join(folder, `${prefix}${randomBytes(6).toString('hex')}.tmp`);
  const file = await open(temporary, 'wx', there ? 0o600 : 0o666);
  try {
    if (there) await keepRights(file, temporary, there);
    await fill(appendTo(file));
    // Else a power cut could leave the new name with neither content.
    await file.datasync().catch(ifDenied);
    await file.close();
    await rename(temporary, target);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  } finally {
    await removal;
  }
}

/** Requires the folder that a file is to be written to. @throws Error, with Node's code and what does not exist */
export async function requireFolder(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await access(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw cause;
    throw Object.assign(new Error(`${code}: the folder ${folder} does not exist`, { cause }), { code });
  }
}

/** In the system's words: Node's message goes on with the call and the temporary name. */
export function reasonOf(error: unknown): string {
  if ((error as NodeJS.ErrnoException).code === 'EISDIR') return 'there is a folder of that name';
  const [code, words] = getSystemErrorMap().get((error as NodeJS.ErrnoException).errno ?? 0) ?? [];
  return code ? `${code}: ${words}` : (error as Error).message;
}

async function writeThrough(path: string, there: Stats | undefined, fill: (append: Append) => Promise<void>) {
  const file = await open(path, constants.O_WRONLY | (there?.isFile() ? constants.O_TRUNC : 0));
  try {
    await fill(appendTo(file));
  } finally {
    await file.close();
  }
}

const appendTo =
  (file: FileHandle): Append =>
  async (bytes) => {
    for (let at = 0; at < bytes.length; )
      at += (await file.write(bytes, at, Math.min(chunk, bytes.length - at), null)).bytesWritten;
  };

const ifAbsent = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error;
};

/** Where symbolic links lead, there or not; undefined for an open file that is reached through /proc. */
async function followLinks(path: string): Promise<string | undefined> {
  let target = path;
  for (let hops = 0; hops < mostLinks; hops++) {
    const link = await readlink(target).catch(() => undefined);
    if (link === undefined) return target;
    const folder = await realpath(dirname(target));
    if (folder.startsWith('/proc/')) return undefined;
    target = isAbsolute(link) ? link : `${folder}/${link}`;
  }
  return target;
}

/** Not the owner: then the mode is all that can be kept. */
async function keepRights(file: FileHandle, path: string, { mode, uid, gid }: Stats): Promise<void> {
  const own = await file.stat();
  if (own.uid !== uid || own.gid !== gid) await file.chown(uid, gid).catch(() => {});
  await file.chmod(mode & 0o7777).catch((error) => {
    ifDenied(error);
    return chmod(path, mode & 0o7777);
  });
}

/** Node's permission model disables some calls on open files altogether, whatever may be written. */
function ifDenied(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ERR_ACCESS_DENIED') throw error;
}

/** Where process ids mean the same: this boot of this machine, in this container. */
const scope = createHash('sha256').update(bootAndNamespace()).digest('hex').slice(0, 8);

function bootAndNamespace(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8') + readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Of temporary files. They do not contain the name of what is written: that may be as long as names can be. */
const prefix = `.node-tensorrt-${scope}-${process.pid}-`;
const temporaryName = /^\.node-tensorrt-([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.tmp$/;

/** Removes temporary files of processes that are gone, and those of other machines that nobody wrote to for a day. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, its, pid] = temporaryName.exec(name) ?? [];
    if (its === undefined) continue;
    const path = join(folder, name);
    const isOld = async () => Date.now() - (await stat(path)).mtimeMs > day;
    try {
      if ((its === scope && isGone(Number(pid))) || (await isOld())) await rm(path);
    } catch {
      // Somebody else's, or just removed by another process.
    }
  }
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/**
 * Makes a folder and those above it. Node's own way does not end in file systems that refuse folders with ENOENT, such as /proc.
 * @returns the uppermost folder that was made; undefined if all were there
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  const make = () =>
    mkdir(path).then(
      () => path,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        return undefined;
      },
    );
  try {
    return await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    const above = await makeFolder(dirname(path));
    const made = await make();
    return above ?? made;
  }
}
