import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, expect } from 'vitest';
import type { IRGraph, NetworkJSON } from '../../src/dsl/ir.js';
import type { Network, TypeScriptOptions } from '../../src/index.js';
import * as source from '../../src/index.js';
import { bytesOf } from '../../src/values/dtype.js';

/** What is compared of a network. */
const described = (net: Network) => ({
  json: JSON.parse(JSON.stringify(net)) as NetworkJSON,
  elements: net.weights.map(({ dtype, shape, data }) => [
    dtype,
    shape,
    createHash('sha256').update(bytesOf(data)).digest('hex'),
  ]),
});

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A folder in which `node-tensorrt` is the source as it is now. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'typescript-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const compilerOptions = {
    ...{ target: 'es2022', module: 'esnext', moduleResolution: 'bundler', lib: ['es2023', 'esnext.disposable'] },
    ...{
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noUnusedLocals: true,
      noUnusedParameters: true,
    },
    ...{ types: [join(root, 'node_modules/@types/node')] },
    paths: { 'node-tensorrt': [join(root, 'src/index.ts')] },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return folder;
}

/** A network as it is compared: values and weights numbered in the order of the text, sizes that only the data tells too. */
export function canonical(json: NetworkJSON, keepNames: boolean): unknown {
  const values = new Map<number, number>();
  const weights = new Map<number, number>();
  const number = (map: Map<number, number>, id: number) => {
    if (!map.has(id)) map.set(id, map.size);
    return map.get(id)!;
  };
  const graph = ({ inputs, nodes, outputs }: IRGraph): unknown => ({
    inputs: inputs.map((one) => ({ ...one, id: number(values, one.id) })),
    nodes: nodes.map(({ id: _, source: __, bodies, ...node }) => ({
      ...node,
      inputs: node.inputs.map((id) => id !== null && number(values, id)),
      weights: Object.entries(node.weights).map(([role, id]) => [role, number(weights, id)]),
      bodies: Object.entries(bodies ?? {}).map(([role, body]) => [role, graph(body)]),
      outputs: node.outputs.map((one) => ({ ...one, id: number(values, one.id) })),
    })),
    outputs: outputs.map((one) => ({ ...one, id: number(values, one.id) })),
  });
  const whole = {
    name: json.name,
    graph: graph(json),
    debug: json.debug?.map((id) => number(values, id)),
    weights: json.weights.map(({ id, name, data, dtype, shape }) => ({
      ...{ id: number(weights, id), dtype, shape },
      ...(keepNames && { name, data }),
    })),
  };
  const symbols = new Map<string, string>();
  const text = JSON.stringify(whole, (_, value) => (Object.is(value, -0) ? '-0' : value)).replace(
    /[\p{L}_][\p{L}\p{N}_.:-]*\?\d+/gu,
    (symbol) => {
      if (!symbols.has(symbol)) symbols.set(symbol, `?${symbols.size}`);
      return symbols.get(symbol)!;
    },
  );
  return JSON.parse(text);
}

/** The default export of a module, without the time that a process of its own takes. */
async function evaluate(code: string, path: string, library: object): Promise<Network> {
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const text = ts
    .transpileModule(code, { compilerOptions: options })
    .outputText.replace(/^import \{([^}]*)\} from 'node-tensorrt';/m, 'const {$1} = library;')
    .replaceAll('import.meta.url', 'url')
    .replace(/^export default (\w+);/m, 'return $1;')
    .replace(/^import '.*';$/gm, '');
  const run = new AsyncFunction('library', 'url', text);
  return await run(library, pathToFileURL(path).href);
}

const AsyncFunction = (async () => {}).constructor as new (
  ...args: string[]
) => (...args: unknown[]) => Promise<Network>;

/** Networks as code, in files. */
export class Written {
  readonly folder: string;
  /** What the networks are made with: the source, or the package under its name. */
  readonly #library: Pick<typeof source, 'toTypeScript' | 'saveSafetensors'>;
  readonly files = new Map<string, { label: string; net: Network; code: string; keepNames: boolean }>();

  constructor(folder: string, library: Pick<typeof source, 'toTypeScript' | 'saveSafetensors'> = source) {
    this.folder = folder;
    this.#library = library;
  }

  async add(label: string, net: Network, options: TypeScriptOptions = { inline: Number.POSITIVE_INFINITY }) {
    const sub = join(this.folder, String(this.files.size));
    mkdirSync(sub);
    const path = join(sub, 'network.ts');
    const { code, weights, weightsFile } = this.#library.toTypeScript(net, options);
    writeFileSync(path, code);
    if (weights.size > 0) await this.#library.saveSafetensors(join(sub, weightsFile), weights);
    this.files.set(path, { label, net, code, keepNames: weights.size === 0 });
    return code;
  }

  /** Runs the code of all, and compares what it records. */
  async run(): Promise<void> {
    const failures: string[] = [];
    for (const [path, { label, net, code, keepNames }] of this.files) {
      try {
        const again = await evaluate(code, path, this.#library);
        const [original, result] = [net, again].map(described);
        expect(canonical(result!.json, keepNames), label).toEqual(canonical(original!.json, keepNames));
        expect(result!.elements, label).toEqual(original!.elements);
      } catch (error) {
        failures.push(`${label}: ${(error as Error).stack}\n${code}`);
      }
    }
    expect(failures.length, `${failures.length} differ\n${failures.slice(0, 3).join('\n\n')}`).toBe(0);
  }

  /** Type-checks the code of all, strictly. */
  problems(): string[] {
    const { config } = ts.readConfigFile(join(this.folder, 'tsconfig.json'), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, this.folder);
    const program = ts.createProgram([...this.files.keys()], options);
    return [...this.files.keys()].flatMap((path) => {
      const source = program.getSourceFile(path)!;
      const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
      return found.map(({ messageText, start }) => {
        const line = ts.getLineAndCharacterOfPosition(source, start!).line;
        const { label } = this.files.get(path)!;
        return `${label}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}: ${source.text.split('\n')[line]}`;
      });
    });
  }
}
