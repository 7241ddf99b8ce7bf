import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, describe, expect, test } from 'vitest';

// What users see: the compiled package in dist/, from JavaScript and from TypeScript compiled with source maps.
const folder = mkdtempSync(join(tmpdir(), 'source (x) '));
afterAll(() => rmSync(folder, { recursive: true }));

const program = `import { network, float32 } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};

interface Unused {
  gone: string;
}

const net = network('n', { x: float32(1, 3, 8, 8) });
const build = (tensor: typeof net) => tensor.relu().sigmoid({ name: 'first' });
build(net);
function refused(call: () => unknown) {
  try {
    call();
  } catch (error) {
    return (error as { source: object }).source;
  }
}
try {
  net
    .relu()
    .conv2d({ weight: { shape: [1, 4, 1, 1], data: new Float32Array(4) } });
} catch (error) {
  const { source } = error as { source: object };
  console.log(JSON.stringify([source, refused(() => net.input('x', float32(1))), ...net.toJSON().nodes.map((node) => node.source)]));
}
`;
const lineOf = (text: string, code = program) => code.slice(0, code.indexOf(text)).split('\n').length;

function run(file: string, ...flags: string[]): { file: string; line: number }[] {
  return JSON.parse(execFileSync(process.execPath, [...flags, file], { encoding: 'utf8' }));
}

function compile(dir: string): { ts: string; js: string; code: string } {
  mkdirSync(dir);
  const paths = { ts: join(dir, 'user.ts'), js: join(dir, 'user.mjs') };
  const { outputText } = ts.transpileModule(program, {
    fileName: paths.ts,
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, inlineSourceMap: true },
  });
  writeFileSync(paths.ts, program);
  writeFileSync(paths.js, outputText);
  return { ...paths, code: outputText };
}

describe('the place in the caller’s code', () => {
  test('in JavaScript', () => {
    const { js, code } = compile(join(folder, 'plain'));
    expect(run(js).map(({ file, line }) => [file, line])).toEqual([
      [js, lineOf('.conv2d(', code)],
      [js, lineOf('refused(() =>', code)],
      [js, lineOf('tensor.relu', code)],
      [js, lineOf('tensor.relu', code)],
      [js, lineOf('.relu()\n', code)],
    ]);
  });

  test('in TypeScript, with --enable-source-maps', () => {
    const { ts: file } = compile(join(folder, 'mapped'));
    expect(run(join(folder, 'mapped', 'user.mjs'), '--enable-source-maps').map((at) => [at.file, at.line])).toEqual([
      [file, lineOf('.conv2d(')],
      [file, lineOf('refused(() =>')],
      [file, lineOf('tensor.relu')],
      [file, lineOf('tensor.relu')],
      [file, lineOf('.relu()\n')],
    ]);
  });

  test('without stacks, as some set-ups have it', () => {
    const { js } = compile(join(folder, 'strange'));
    const before = join(folder, 'before.mjs');
    writeFileSync(before, 'Error.prepareStackTrace = () => [];\n');
    expect(run(js, '--import', before)).toEqual([null, null, null, null, null]);
    expect(run(js, '--stack-trace-limit=0')).toEqual([null, null, null, null, null]);
  });
});
