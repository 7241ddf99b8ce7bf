import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../setup/checkout.js';

const shared = JSON.stringify(join(root, 'dist/cli/shared/exit.js'));

/** A command that heeds its signal, or never ends whatever it is told. */
const program = (heeds: boolean) => `import { interruption, reportError } from ${shared};
  const { signal } = interruption();
  setInterval(() => {}, 1000);
  process.on('exit', () => { for (;;); });
  signal.addEventListener('abort', () => {
    console.log('aborted');
    if (${heeds}) { process.removeAllListeners('exit'); process.exit(reportError(signal.reason)); }
  });
  console.log('ready');`;

async function interrupted(heeds: boolean, name: NodeJS.Signals) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program(heeds)], { stdio: 'pipe' });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const said = { text: '', errors: '' };
  child.stderr.on('data', (part) => (said.errors += part));
  child.stdout.on('data', (part) => {
    for (const word of String(part).trim().split('\n')) {
      said.text += `${word} `;
      if (word === 'ready' || !heeds) child.kill(name);
    }
  });
  const [code] = await ended;
  return { code, ...said };
}

test('the first signal aborts, and the exit code says which it was', async () => {
  expect(await interrupted(true, 'SIGINT')).toEqual({
    code: 130,
    text: 'ready aborted ',
    errors: 'interrupted by SIGINT\n',
  });
  expect(await interrupted(true, 'SIGTERM')).toMatchObject({ code: 143 });
});

test('the second ends a command that does not stop, without waiting for what is under way', async () => {
  expect(await interrupted(false, 'SIGINT')).toMatchObject({ code: 130, text: 'ready aborted ' });
  expect(await interrupted(false, 'SIGHUP')).toMatchObject({ code: 129 });
});
