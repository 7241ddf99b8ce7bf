import { resolve } from 'node:path';
import { Command } from 'commander';
import { parseAge, parseSize } from '../../tensorrt/cache/amounts.js';
import { type CacheEntry, clearCache, listEntries, pruneEntries, type Removed } from '../../tensorrt/cache/entries.js';
import { cacheFolder, cacheLimit, usingCache } from '../../tensorrt/cache/folder.js';
import { addExamples, refuseArgument } from '../shared/exit.js';
import { escapeForTerminal, print, printJson, size, table } from '../shared/output.js';

interface Flags {
  dir?: string;
  json?: boolean;
  maxSize?: number;
  olderThan?: number;
}

const folderOf = ({ dir }: Flags): string => (dir === undefined ? cacheFolder() : resolve(dir));

/** Adds what every subcommand takes. */
const common = (command: Command): Command =>
  command
    .option('--dir <folder>', 'the cache in this folder; without it, the one of `cache: true`')
    .option('--json', 'as JSON');

const bytes = (text: string): number => parseSize(text) ?? refuseArgument('a size such as 5GB or 500MiB', text);
const age = (text: string): number => parseAge(text) ?? refuseArgument('a time such as 30d, 12h or 90m', text);

/** `node-tensorrt cache path|ls|prune|clear` */
export function cacheCommand(): Command {
  const cache = new Command('cache').description('the engines that --cache keeps (in the API, net.build({ cache }))');
  addExamples(
    common(cache.command('path').description('print the folder of the cache')).action((flags: Flags) => {
      const folder = folderOf(flags);
      if (flags.json) printJson({ folder });
      else print(escapeForTerminal(folder));
    }),
    [['du -sh "$(node-tensorrt cache path)"', 'what the cache takes on the disk']],
  );
  addExamples(common(cache.command('ls').description('list the engines, the most recently used first')).action(list), [
    ['node-tensorrt cache ls', 'name, size, library and GPU of every engine'],
    ['node-tensorrt cache ls --json', 'with hashes of all that each was built from, which say why two differ'],
  ]);
  addExamples(
    common(cache.command('prune').description('remove the least recently used engines, or those unused for a time'))
      .option(
        '--max-size <size>',
        'keep at most this much, such as 5GB; default: NODE_TENSORRT_CACHE_LIMIT, else 10GB',
        bytes,
      )
      .option('--older-than <time>', 'remove what was not used for this long, such as 30d', age)
      .action(prune),
    [['node-tensorrt cache prune --max-size 5GB --older-than 30d', 'at most 5 GB, all used within 30 days']],
  );
  addExamples(
    common(cache.command('clear').description('remove all engines but those being built, and timing caches')).action(
      (flags: Flags) => removing(flags, clearCache),
    ),
    [['node-tensorrt cache clear', 'the next build of every network is a new one']],
  );
  return cache;
}

async function list(flags: Flags): Promise<void> {
  const folder = folderOf(flags);
  const engines = await usingCache(folder, () => listEntries(folder));
  if (flags.json) {
    printJson({ folder, limit: cacheLimit(), bytes: sum(engines), engines });
    return;
  }
  if (engines.length > 0) {
    const head = ['network', 'size', 'library', 'GPU', 'built in', 'last used', 'key'];
    print(table(head, engines.map(row), { right: [1, 4], breaks: [0, 3] }));
  }
  const count = engines.length === 1 ? '1 engine' : `${engines.length} engines`;
  print(`${count}, ${size(sum(engines))} of at most ${size(cacheLimit())}, in ${escapeForTerminal(folder)}`);
}

const sum = (engines: readonly CacheEntry[]): number => engines.reduce((total, { bytes }) => total + bytes, 0);

function row({ key, bytes, used, engine }: CacheEntry): (string | number)[] {
  const short = key.slice(0, 12);
  const when = used.slice(0, 16).replace('T', ' ');
  if (!engine) return ['(damaged)', size(bytes), '', '', '', when, short];
  const { name, library, gpu, buildMs } = engine;
  const seconds = `${(buildMs / 1000).toFixed(1)} s`;
  const tensorrt = library ? `${library.flavor} ${library.version}` : '';
  return [name ?? '', size(bytes), tensorrt, gpu?.name ?? 'none', seconds, when, short];
}

async function prune(flags: Flags): Promise<void> {
  const { maxSize, olderThan } = flags;
  const what = maxSize === undefined && olderThan === undefined ? { maxSize: cacheLimit() } : { maxSize, olderThan };
  await removing(flags, (folder) => pruneEntries(folder, what));
}

async function removing(flags: Flags, remove: (folder: string) => Promise<Removed>): Promise<void> {
  const folder = folderOf(flags);
  const removed = await usingCache(folder, () => remove(folder));
  if (flags.json) printJson({ folder, ...removed });
  else print(`removed ${removed.engines === 1 ? '1 engine' : `${removed.engines} engines`}, ${size(removed.bytes)}`);
}
