import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';

// A project that has this package and nothing else: no @types/node. Declarations come from the sources as they are now.
const root = fileURLToPath(new URL('../../', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'declarations-'));
const installed = join(project, 'node_modules', 'node-tensorrt');
afterAll(() => rmSync(project, { recursive: true }));

const user = `import { concat, findTensorRT, float32, loadEngine, loadWeights, network, TensorRTError } from 'node-tensorrt';
import type { LstmOptions, NetworkJSON, PoolOptions, TopKResult } from 'node-tensorrt';

const w = await loadWeights('lenet.safetensors');
const net = network('lenet', { data: float32('batch', 1, 28, 28) });
const y = net.conv2d(w.layer('conv1')).relu().linear({ weight: w.get('fc'), bias: new Float32Array(3) });
concat([y, y], { axis: -1 }).softmax().output('prob');
const controller = new AbortController();
using engine = await net.build({ profiles: [{ batch: [1, 8, 64] }], signal: controller.signal });
const { prob } = await engine.run({ data: new Float32Array(784) });
export const elements: Float32Array = prob!.toFloat32();
export const found: string[] = (await findTensorRT({ env: { HOME: '/' } })).map(({ path }) => path);
export const loaded = (await loadEngine('lenet.plan')).inputs.map(({ name }) => name);
export const line: number | undefined = new TensorRTError('ERR_X', 'x').source?.line;
const layer = w.layer('fc1');
const known: { bias: typeof layer.bias } = { bias: w.has('b') ? w.get('b') : undefined };
y.linear({ ...layer, ...known }).layerNorm({ ...layer, ...known }).batchNorm({ ...w.layer('bn'), ...known }).rmsNorm(w.layer('rms'));
net.conv2d({ ...layer, ...known, stride: 2 }).add(w.get('fc')).prelu(w.layer('prelu'));
const pooling: PoolOptions = { type: 'max', kernel: 2 };
const best: TopKResult = net.pool(pooling).topk(5);
export const cell = (options: LstmOptions) => best[0].lstm({ ...options, gates: 'ifgo' }).cell.shape;
export const json: NetworkJSON = net.toJSON();
const [first, second, third] = y.split([1, 2, y.dim(0).sub(3)]);
const [left, right] = y.chunk(2, { axis: -1 });
const [only] = first.add(second).add(third).unbind({ axis: 1, count: 1 });
const [top, bottom] = w.get('fc').split([1, 2], 1);
export const sizes: number[] = [...top.shape, ...bottom.shape, ...left.mul(right).add(only).shape.map(Number)];
export const many: number[] = y.split(2).concat(y.chunk(sizes.length), y.unbind()).map(({ rank }) => rank);
// @ts-expect-error there is no third part
y.chunk(2)[2].relu();
const profile = { batch: [1, 8, 64] };
const ranges = [profile, { batch: 4, tokens: [[1], [8], [64]] }];
await net.build({ profiles: [profile] });
await net.build({ profiles: ranges, workspace: undefined, library: undefined });
declare const maybe: number | undefined;
net.conv2d({ ...layer, groups: maybe, stride: maybe, name: undefined }).layerNorm({ ...layer, eps: maybe });
y.attention(y, y, { mask: undefined, scale: maybe }).groupNorm({ ...layer, groups: maybe }).softmax({ axis: maybe });
// @ts-expect-error kernels are numbers
net.pool({ type: 'max', kernel: '2' });
`;

function problems(options: ts.CompilerOptions, files: readonly string[]): string[] {
  return ts.getPreEmitDiagnostics(ts.createProgram(files, options)).map(({ file, start, messageText }) => {
    const line = file && ts.getLineAndCharacterOfPosition(file, start!).line + 1;
    return `${file?.fileName}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}

beforeAll(() => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const outDir = join(installed, 'dist');
  const emit = { outDir, incremental: false, tsBuildInfoFile: undefined, declarationMap: false };
  ts.createProgram(fileNames, { ...options, ...emit }).emit(undefined, undefined, undefined, true);
  symlinkSync(join(root, 'package.json'), join(installed, 'package.json'));
  symlinkSync(join(root, 'node_modules', 'zod'), join(project, 'node_modules', 'zod'));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(join(project, 'user.ts'), user);
}, 180_000);

test.each([
  ['nodenext', ts.ModuleKind.NodeNext, ts.ModuleResolutionKind.NodeNext],
  ['bundler', ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler],
])(
  'a strict project without @types/node compiles, with %s',
  (_, module, moduleResolution) => {
    const options = { module, moduleResolution, target: ts.ScriptTarget.ES2022, strict: true, types: [], noEmit: true };
    expect(problems(options, [join(project, 'user.ts')])).toEqual([]);
  },
  60_000,
);

/** What `tsc --init` of TypeScript 5.9 and later switches on beside `strict`. */
const init: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ESNext,
  strict: true,
  types: [],
  noEmit: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  moduleDetection: ts.ModuleDetectionKind.Force,
};

/** Samples of a page, as files of the project. */
function samplesOf(page: string, count: number): string[] {
  const samples = [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n(.*?)^```/gms)];
  expect(samples, page).toHaveLength(count);
  const given = 'declare const console: { log(value: unknown): void };\n';
  return samples.map(([, text], i) => {
    const file = join(project, `${page.replaceAll('/', '-')}-${i}.ts`);
    writeFileSync(file, given + text);
    return file;
  });
}

test('it compiles as `tsc --init` sets a project up, and so do the samples of README and docs', () => {
  const files = [join(project, 'user.ts'), ...samplesOf('README.md', 3), ...samplesOf('docs/from-pytorch.md', 1)];
  expect(problems(init, files)).toEqual([]);
}, 60_000);
