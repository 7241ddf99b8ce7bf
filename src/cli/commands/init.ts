import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { TensorRTError } from '../../errors/error.js';
import { makeFolder, reasonOf, writeFileWhole } from '../../write-file.js';
import { addExamples, UsageError } from '../shared/exit.js';
import { escapeForTerminal, print } from '../shared/output.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const template = join(root, 'templates', 'init');
/** What the template has of the package's own. */
const weights = 'digits.safetensors';

interface Manifest {
  name: string;
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

const manifestOf = async (folder: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));

/** The template's package.json under another name. Its dependencies have the versions that this package is tested with. */
async function manifestText(name: string): Promise<string> {
  const [own, made] = [await manifestOf(root), await manifestOf(template)];
  const versions = { ...own.devDependencies, [own.name]: own.version };
  for (const group of [made.dependencies, made.devDependencies])
    for (const dependency of Object.keys(group)) group[dependency] = `^${versions[dependency]!}`;
  return `${JSON.stringify({ ...made, name }, null, 2)}\n`;
}

/** @throws UsageError unless the folder is empty or not there */
async function requireRoom(folder: string, shown: string): Promise<void> {
  const there = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (!there) return;
  if (!there.isDirectory()) throw new UsageError(`init: ${shown} is a file; name a folder that is new or empty`);
  const names = (await readdir(folder)).sort();
  if (names.length === 0) return;
  const more = names.length > 8 ? ` and ${names.length - 8} more` : '';
  throw new UsageError(
    `init: ${shown} is not empty: ${names.slice(0, 8).join(', ')}${more}; name a folder that is new or empty`,
  );
}

/** Names that npm takes, that need no quotes in a shell, and that no package imports under. */
const nameRule = /^(?!node_modules$)[a-z0-9][a-z0-9._-]{0,99}$/;

/** The files of a project, by their paths in it. */
async function filesOf(name: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(template, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    // npm leaves a .gitignore out of what it packs.
    files.set(relative(template, path).replace('_gitignore', '.gitignore'), await readFile(path));
  }
  files.set('package.json', Buffer.from(await manifestText(name)));
  files.set('README.md', Buffer.from(`${files.get('README.md')}`.replace(/^# .*/, `# ${name}`)));
  return files.set(join('weights', weights), await readFile(join(root, 'examples', 'digits', weights)));
}

/**
 * Writes the project, and takes back what it wrote if it cannot write all.
 * @returns the paths of the files
 * @throws UsageError if something is in the way, ERR_SAVE if it cannot be written
 */
async function init(shown: string): Promise<string[]> {
  const folder = resolve(shown);
  const name = basename(folder);
  if (!nameRule.test(name))
    throw new UsageError(
      `init: the folder's name becomes the package's: expected lower-case letters, digits, '.', '_' and '-', given ${JSON.stringify(name)}`,
    );
  const files = await filesOf(name);
  const written: string[] = [];
  try {
    await requireRoom(folder, shown);
    for (const [path, bytes] of files) {
      const file = join(folder, path);
      const made = await makeFolder(dirname(file));
      if (made) written.push(made);
      await writeFileWhole(file, (append) => append(bytes));
      written.push(file);
    }
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    for (const path of written) await rm(path, { recursive: true, force: true });
    throw new TensorRTError('ERR_SAVE', `init: could not write ${shown}: ${reasonOf(cause)}`, { cause });
  }
  return [...files.keys()].sort();
}

/** `node-tensorrt init` */
export function initCommand(): Command {
  const command = new Command('init')
    .description('write a new project: a network with its weights, a test against PyTorch’s numbers, a bench')
    .argument('[folder]', 'a folder that is new or empty; its name becomes the package’s', 'digits')
    .action(async (folder: string) => {
      for (const file of await init(folder)) print(file);
      print(`\nNext:\n  cd ${escapeForTerminal(folder)}\n  npm install\n  npm test`);
    });
  return addExamples(command, [
    ['node-tensorrt init', 'a project in ./digits'],
    ['node-tensorrt init my-network', 'in ./my-network'],
  ]);
}
