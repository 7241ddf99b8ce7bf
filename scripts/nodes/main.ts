// Runs test/nodes/suite with each supported Node, in a project outside of this checkout. Ends with `N passed, N failed[, N skipped]`.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crashingTensorRT } from '../../test/tensorrt/compile/crashing-library.js';
import { obtainNode, pins } from '../lib/node-releases.mjs';
import { makeBundles } from './bundles.js';
import { makeProject } from './project.js';

/** The longest that one Node may take, in ms. */
const limit = 300_000;
const root = fileURLToPath(new URL('../../', import.meta.url));
const named = process.argv.slice(2);
const chosen = pins.filter(({ version }) => named.length === 0 || named.includes(version.split('.')[0]!));
const folder = mkdtempSync(join(tmpdir(), 'node-tensorrt-nodes-'));
const total = { passed: 0, failed: 0, skipped: 0 };

/** What the suite printed; it is ended where it takes too long. */
function run(node: string): Promise<{ output: string; end: string }> {
  return new Promise((resolve) => {
    const files = readdirSync(join(project, 'suite')).filter((file) => file.includes('.test.'));
    const args = ['--test', '--test-concurrency=2', '--test-reporter=./suite/reporter.mjs'];
    const child = spawn(node, [...args, ...files.map((file) => join('suite', file))], {
      cwd: project,
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        NODE_TENSORRT_LIBRARY: 'rtx1',
        CRASHING_LIBRARY: crashing,
        BUNDLES: bundles,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    let output = '';
    let end = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const timer = setTimeout(() => {
      end = `it did not end within ${limit / 1000} s`;
      process.kill(-child.pid!, 'SIGKILL');
    }, limit);
    child.on('error', (error) => {
      end = error.message;
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ output, end: end || (code === 0 ? '' : `it ended with ${signal ?? code}`) });
    });
  });
}

const project = join(folder, 'project');
const bundles = join(folder, 'bundles');
makeProject(project, 'npm');
makeBundles(bundles);
const crashing = crashingTensorRT(join(folder, 'libtensorrt_rtx.so.1'));
cpSync(join(root, 'test', 'nodes', 'suite'), join(project, 'suite'), { recursive: true });
cpSync(join(root, 'examples', 'mnist', 'lenet.safetensors'), join(project, 'lenet.safetensors'));
try {
  for (const pin of chosen) {
    const begun = performance.now();
    let result: Awaited<ReturnType<typeof run>>;
    try {
      result = await run(await obtainNode(pin));
    } catch (error) {
      result = { output: '', end: (error as Error).message };
    }
    const lines = result.output.trimEnd().split('\n');
    const counted = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(lines.at(-1)!);
    const [passed, failed, skipped] = counted ? counted.slice(1).map((text) => Number(text ?? 0)) : [0, 0, 0];
    const isBroken = !passed || (result.end !== '' && failed === 0);
    total.passed += passed!;
    total.failed += failed! + (isBroken ? 1 : 0);
    total.skipped += skipped!;
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    process.stdout.write(
      `Node ${pin.version}: ${result.output}${isBroken ? `  FAILED: ${result.end || 'no test ran'}\n` : ''}`,
    );
    process.stdout.write(`  ${seconds} s\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (chosen.length === 0) total.failed++;
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`);
process.exitCode = total.failed > 0 ? 1 : 0;
