import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { small, temporaryFolder } from './support.js';

const program = fileURLToPath(new URL('./builder-child.ts', import.meta.url));
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Builder {
  child: ChildProcess;
  /** The next line that it prints. */
  line(): Promise<string>;
  go(): void;
}

/** Processes that have loaded the package, and wait. */
async function builders(count: number, folder: string, mode: 'once' | 'forever'): Promise<Builder[]> {
  const all = Array.from({ length: count }, (): Builder => {
    const child = spawn(process.execPath, ['--import', 'tsx', program, folder, mode], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines = child.stdout!.setEncoding('utf8')[Symbol.asyncIterator]();
    let text = '';
    return {
      child,
      async line() {
        while (!text.includes('\n')) {
          const { done, value } = await lines.next();
          if (done) throw new Error(`the child ended: ${text}`);
          text += value;
        }
        const [first, ...rest] = text.split('\n');
        text = rest.join('\n');
        return first!;
      },
      go: () => void child.stdin!.write('go\n'),
    };
  });
  await Promise.all(all.map((one) => one.line()));
  return all;
}

test('eight processes at once build it once, and have the same engine', { timeout: 240_000 }, async () => {
  const folder = temporaryFolder();
  const all = await builders(8, folder, 'once');
  for (const one of all) one.go();
  const found = await Promise.all(all.map(async (one) => JSON.parse(await one.line())));
  expect(found.filter(({ fromCache }) => !fromCache)).toHaveLength(1);
  expect(new Set(found.map((one) => one.sha)).size).toBe(1);
  expect(found.flatMap(({ log }) => log)).toEqual([]);
  expect(readdirSync(folder).filter((name) => !/^([0-9a-f]{64}\.(engine|used)|hashes)$/.test(name))).toEqual([]);
});

test('two writers that are killed at random moments leave nothing that is taken for an engine', {
  timeout: 240_000,
}, async () => {
  const folder = temporaryFolder();
  for (let round = 0; round < 2; round++) {
    const all = await builders(2, folder, 'forever');
    for (const one of all) one.go();
    await Promise.all(
      all.map(async ({ child }) => {
        await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 500));
        child.kill('SIGKILL');
        await new Promise((resolve) => child.once('close', resolve));
      }),
    );
  }
  for (const factor of [0, 1, 2]) {
    const engine = await small(factor).build({ cache: folder });
    expect(engine.log).toEqual([]);
    expect(sha(engine.bytes)).toBe(sha((await small(factor).build()).bytes));
  }
  // The next that writes removes what they left.
  await small(99).build({ cache: folder });
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
