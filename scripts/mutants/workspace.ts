import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'node-tensorrt-mutants-';
/** What a copy creates itself, or does not need. */
const notCopied = new Set(['node_modules', 'build', 'dist', '.git', '.cache']);

export interface Outcome {
  /** null if a signal ended it or it ran out of time. */
  code: number | null;
  timedOut: boolean;
  output: string;
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Removes copies whose process was killed before it could remove them. */
export function removeStale(folder = tmpdir()): void {
  for (const name of readdirSync(folder)) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** A copy of the tree in which mutants are compiled and tested. It is removed when the process ends. */
export class Workspace {
  readonly root: string;
  readonly #running = new Set<number>();
  readonly #onExit = () => this.dispose();

  constructor(source: string) {
    this.root = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
    process.once('exit', this.#onExit);
    for (const name of readdirSync(source))
      if (!notCopied.has(name)) cpSync(join(source, name), join(this.root, name), { recursive: true });
    // Its own folder, so that tools write their caches there.
    const modules = join(source, 'node_modules');
    mkdirSync(join(this.root, 'node_modules'));
    for (const name of readdirSync(modules))
      if (!/^\.(vite|cache)/.test(name)) symlinkSync(join(modules, name), join(this.root, 'node_modules', name));
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.root, path), text);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** Compiles everything, like the set-up. */
  async compileAll(): Promise<void> {
    const script = "import { compileAddon } from './scripts/install/addon.mjs'; await compileAddon(process.cwd());";
    const { code, output } = await this.run(process.execPath, ['--input-type=module', '-e', script], 30 * 60_000);
    if (code !== 0) throw new Error(`the copy does not compile:\n${output}`);
  }

  /** Compiles what has changed since. */
  compile(): Promise<Outcome> {
    return this.run('cmake', ['--build', 'build', '--config', 'Release', '--parallel', '2'], 300_000);
  }

  /** Runs a command in the copy; after `limit` milliseconds, it and its children are killed. */
  run(command: string, args: readonly string[], limit: number): Promise<Outcome> {
    return new Promise((resolve) => {
      const child = spawn(command, args, {
        cwd: this.root,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE_TENSORRT_SKIP_SETUP: '1' },
      });
      let output = '';
      let timedOut = false;
      const kill = () => child.pid && killGroup(child.pid);
      const timer = setTimeout(() => {
        timedOut = true;
        kill();
      }, limit);
      if (child.pid) this.#running.add(child.pid);
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (data: Buffer) => {
          output = (output + data).slice(-20_000);
        });
      const end = (code: number | null) => {
        clearTimeout(timer);
        // A test's own children may outlive it.
        kill();
        if (child.pid) this.#running.delete(child.pid);
        resolve({ code, timedOut, output });
      };
      child.once('error', (error) => {
        output += error.message;
        end(127);
      });
      child.once('exit', end);
    });
  }

  dispose(): void {
    process.off('exit', this.#onExit);
    for (const pid of this.#running) killGroup(pid);
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

/** The commit of a checkout, with a note if files differ from it; 'unknown' outside a checkout. */
export function commitOf(root: string): string {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  const { status, stdout } = git('rev-parse', '--short=12', 'HEAD');
  if (status !== 0) return 'unknown';
  const changed = git(
    'status',
    '--porcelain',
    '--untracked-files=no',
    '--',
    'native',
    'src',
    'test',
    'scripts',
  ).stdout.trim();
  return changed ? `${stdout.trim()}, with changes` : stdout.trim();
}
