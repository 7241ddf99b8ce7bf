import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const file = (name: string) => fileURLToPath(new URL(`./runners/${name}`, import.meta.url));
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

function run(...args: string[]) {
  // A runner inside a runner must not take itself for a worker of this one.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^VITEST|^NODE_TEST|^TEST$|^FORCE_COLOR$/.test(name)),
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    env: { ...env, NO_COLOR: '1' },
    encoding: 'utf8',
  });
  return { status, output: `${stdout}\n${stderr}` };
}

const difference =
  /y float32\[4, 37\]: element \[\d+, \d+\] is \S+, expected \S+ ± \S+ \(0.00001 of the rms, \S+\); 1\d\d of 148 differ/;

describe('a right plugin passes and a wrong one fails', { timeout: 120_000 }, () => {
  test('alone', () => {
    const { status, output } = run('--import', 'tsx', file('alone.ts'));
    expect(output).toMatch(/checks passed, 0 failed, \d+ skipped[\s\S]*the right one passed/);
    expect(output).toMatch(/ERR_PLUGIN_TEST/);
    expect(output).toMatch(difference);
    expect(status).toBe(1);
  });

  test('in node:test', () => {
    const { status, output } = run('--import', 'tsx', '--test', '--test-reporter=tap', file('node-test.ts'));
    expect(output).toMatch(/^\s*ok \d+ - right$/m);
    expect(output).toMatch(/^\s*not ok \d+ - wrong$/m);
    expect(output).toMatch(difference);
    expect(status).toBe(1);
  });

  test('in vitest', () => {
    const { status, output } = run(
      vitest,
      'run',
      '--root',
      root,
      '--config',
      file('vitest.config.ts'),
      '--reporter=verbose',
    );
    expect(output).toMatch(/✓ .*right/);
    expect(output).toMatch(/× .*wrong/);
    expect(output).toMatch(difference);
    expect(status).toBe(1);
  });
});
