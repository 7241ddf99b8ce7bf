import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const main = join(root, 'dist/cli/main.js');
// Within the package, so that models find it by its name.
const folder = mkdtempSync(join(root, 'test/cli/.reduce-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const model = join(folder, 'model.mjs');
writeFileSync(
  model,
  `import { float32, network } from 'node-tensorrt';
export default ({ blocks = 6 } = {}) => {
  const net = network('deep', { x: float32('batch', 8, 16) });
  let x = net.tensor();
  for (let i = 0; i < blocks; i++)
    net.scope(\`block\${i}\`, () => {
      x = x.relu().add(x.sigmoid()).layerNorm();
      if (i === 3) x.nonZero({ name: 'found' }).output('n');
    });
  x.output('y');
  return net;
};
`,
);

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface Running {
  onStart?(kill: () => void): void;
  timeout?: number;
}

const run = (args: readonly string[], { onStart, timeout = 120_000 }: Running = {}): Promise<Ended> =>
  new Promise((done) => {
    const options = { cwd: folder, env: { ...process.env, NO_COLOR: '1' }, timeout };
    const child = execFile(process.execPath, [main, ...args], options, (_, stdout, stderr) => {
      done({ code: child.exitCode, stdout, stderr });
    });
    onStart?.(() => child.kill('SIGINT'));
  });

const leftovers = () => readdirSync(folder).filter((name) => name.startsWith('.reduce-'));

describe('node-tensorrt reduce', () => {
  test('finds the layer at which a command succeeds', { timeout: 120_000 }, async () => {
    const { code, stdout, stderr } = await run(['reduce', model, '--check', 'grep -q nonZero']);
    expect(stderr).toMatch(/layers became 1 in \d+ checks/);
    expect(stdout).toMatch(/^import \{ float32, network \} from 'node-tensorrt';\n/);
    expect(stdout.match(/\.\w+\(/g)).toEqual(['.tensor(', '.nonZero(', '.output(']);
    expect(code).toBe(0);
    expect(leftovers()).toEqual([]);
  });

  test('finds the layer that TensorRT-RTX cannot build, and writes it', { timeout: 120_000 }, async () => {
    const small = join(folder, 'small.ts');
    const { code, stdout } = await run([
      'reduce',
      model,
      '--check',
      'build',
      '--dims',
      'batch=1:2:4',
      '-o',
      small,
      '--json',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ layers: { after: 1 }, complete: true, files: [small] });
    expect(readFileSync(small, 'utf8')).toContain('.nonZero(');
    expect(code).toBe(0);
  });

  test('finds the wrong epsilon deep in BERT, where compare differs from the same with the right one', {
    timeout: 600_000,
  }, async () => {
    const wrong = join(folder, 'wrong.ts');
    writeFileSync(
      wrong,
      `import { loadWeights, Network } from 'node-tensorrt';
import { bert } from '../../../examples/bert/network.ts';
import { filesOf } from '../../../examples/run.ts';
const weights = await loadWeights(filesOf('bert').weights);
const json = bert(weights, { layers: 3, heads: 4, eps: 1e-12 }, 'float32').toJSON();
json.nodes.filter(({ kind }) => kind === 'normalization')[4].params.eps = 1e-3;
export default Network.fromJSON(JSON.parse(JSON.stringify(json)), weights.as('float32'));
`,
    );
    const log = join(folder, 'checks');
    const differs = join(folder, 'differs.sh');
    // A comparison that fails ends with 1, too, and prints nothing.
    writeFileSync(
      differs,
      `#!/bin/sh
right="$(dirname "$1")/right.ts"
sed 's/eps: 0\\.001\\b/eps: 1e-12/' "$1" > "$right"
said=$(${process.execPath} ${main} compare "cpu:$right" "cpu:$1" --dims batch=2,tokens=6 --json)
[ $? -eq 1 ] && echo "$said" | grep -q '"agrees":false'
is=$?
echo $is >> ${log}
exit $is
`,
      { mode: 0o755 },
    );
    const { code, stdout, stderr } = await run(['reduce', wrong, '--check', differs], { timeout: 590_000 });
    expect(stderr).toMatch(/layers became \d+ in \d+ checks\n$/);
    expect(stdout.match(/eps: [^ ,}]+/g)).toEqual(['eps: 0.001']);
    const calls = stdout.match(/\.\w+\(/g)!.filter((one) => !['.get(', '.layer(', '.as('].includes(one));
    expect(calls).toEqual(['.tensor(', '.layerNorm(', '.output(']);
    expect(code).toBe(0);
    // Both sides: with the right epsilon, the check says no.
    const checks = readFileSync(log, 'utf8').trim().split('\n');
    expect(new Set(checks)).toEqual(new Set(['0', '1']));
    const mended = join(folder, 'mended.ts');
    writeFileSync(mended, stdout.replaceAll('eps: 0.001', 'eps: 1e-12'));
    expect(await run(['reduce', mended, '--check', differs])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/itself does not fail/),
    });
  });

  test('ends at SIGINT with the smallest so far', { timeout: 120_000 }, async () => {
    const log = join(folder, 'log');
    const slow = join(folder, 'slow.sh');
    writeFileSync(
      slow,
      `#!/bin/sh\necho x >> ${log}\n[ $(wc -l < ${log}) -gt 3 ] && exec sleep 100\ngrep -q nonZero "$1"\n`,
      { mode: 0o755 },
    );
    const small = join(folder, 'stopped.ts');
    const { code, stderr } = await run(['reduce', model, '--check', slow, '-o', small], {
      onStart(kill) {
        const poll = setInterval(() => {
          try {
            if (readFileSync(log, 'utf8').length < 8) return;
            clearInterval(poll);
            kill();
          } catch {
            // Not begun yet.
          }
        }, 50);
      },
    });
    expect(stderr).toMatch(/in 4 checks; it was ended early/);
    expect(readFileSync(small, 'utf8')).toContain('.nonZero(');
    expect(code).toBe(130);
    expect(leftovers()).toEqual([]);
  });

  test('says what is wrong', { timeout: 120_000 }, async () => {
    const never = await run(['reduce', model, '--check', 'false']);
    expect(never).toMatchObject({ code: 1, stderr: expect.stringMatching(/itself does not fail/) });
    expect(await run(['reduce', model])).toMatchObject({ code: 2 });
  });
});

test('node-tensorrt summary prints a table, or JSON', { timeout: 120_000 }, async () => {
  const table = await run(['summary', model, '--depth', '1']);
  expect(table.stdout).toMatch(/^Network deep\n─+\nLayer +Kind +Output +Parameters +Bytes\n/);
  expect(table.stdout).toMatch(/\nblock0 +\(4 layers\) +float32\[batch, 8, 16\] +32 +128 bytes\n/);
  const { stdout, code } = await run(['summary', model, '--set', 'blocks=2', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ name: 'deep', parameters: 64, layers: 8 });
  expect(code).toBe(0);
});
