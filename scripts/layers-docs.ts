// Writes docs/layers.md: the tables of `node-tensorrt layers`, every method's JSDoc, and one example per kind. Writes
// src/cli/module-list.generated.ts: the methods made of several layers, for that command.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { type LayerSummary, layerList } from '../src/cli/layer-list.js';
import type { ModuleSummary } from '../src/cli/module-list.generated.js';
import { layerTable } from '../src/layers/table.js';
import { moduleFunctions } from '../src/modules/table.js';

const root = new URL('../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
export const docsFile = fileURLToPath(new URL('docs/layers.md', root));
export const moduleListFile = fileURLToPath(new URL('src/cli/module-list.generated.ts', root));

/** JSDoc of every method (`relu`) and function (`concat()`) in a folder, as one line without code. */
export function docsIn(folder: string): Map<string, string> {
  const docs = new Map<string, string>();
  for (const file of readdirSync(new URL(folder, root)).filter((name) => name.endsWith('.ts'))) {
    const source = ts.createSourceFile(file, read(`${folder}${file}`), ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      const isPublic = ts.isMethodDeclaration(node) || (ts.isFunctionDeclaration(node) && !!node.modifiers?.length);
      const comment = isPublic && ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc)?.comment;
      if (comment) {
        const name = `${node.name!.getText()}${ts.isFunctionDeclaration(node) ? '()' : ''}`;
        const text = ts.getTextOfJSDocComment(comment)!.replace(/```.*?```/gs, '');
        docs.set(name, text.replace(/\s+/g, ' ').trim());
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return docs;
}

/** Every method and exported function of src/modules by name, with its JSDoc and the layer kinds it names. */
function modulesOf(): ModuleSummary[] {
  const known = layerTable.map(({ definition }) => definition.kind);
  return [...docsIn('src/modules/')]
    .filter(([name]) => !name.endsWith('()') || Object.hasOwn(moduleFunctions, name.slice(0, -2)))
    .map(([method, text]) => {
      const [about = '', made = ''] = text.split(/ ?TensorRT kinds?: /);
      const words = made.split(/\W+/);
      const kinds = known.filter((kind) => words.includes(kind)).sort((a, b) => words.indexOf(a) - words.indexOf(b));
      return { method, about, kinds };
    })
    .sort((a, b) => (a.method < b.method ? -1 : 1));
}

/** The text of src/cli/module-list.generated.ts. */
export function moduleListText(): string {
  return `// Written by \`npm run docs:layers\` from the JSDoc of src/modules; a test compares. Not to be edited.

/** A method made of layers, as \`node-tensorrt layers --modules --json\` prints it. */
export interface ModuleSummary {
  /** Of tensors and networks; with parentheses, a function of the package. */
  method: string;
  /** What its JSDoc says about it. */
  about: string;
  /** Layer kinds it is made of, those that its JSDoc names. */
  kinds: readonly string[];
}

/** Every method of src/modules, by name. */
export const moduleList: readonly ModuleSummary[] = [
${modulesOf()
  .map((row) => `  ${JSON.stringify(row)},\n`)
  .join('')}];
`;
}

const intro = `# Layers

<!-- Written by \`npm run docs:layers\`; a test compares. -->

Every kind of TensorRT layer that this package records. \`npx node-tensorrt layers\` prints the same table.
[Modules](#modules) are methods made of several layers. Layers that TensorRT does not have are [plugins](plugins.md).

- *TensorRT 10*, *TensorRT 11*, *RTX*: the first release that builds the layer. RTX is TensorRT-RTX, NVIDIA's edition for GeForce and RTX GPUs. Its interface declares \`moe\`, \`nms\` and \`non_zero\` too, but up to 1.7.1 nothing in it implements them.
- *CPU*: whether the CPU backend (onnxruntime) runs it. A text says what it does where that is not what TensorRT does.
- *by other layers*: releases that lack the layer, or a part of it (\`trt10\` is TensorRT 10). There the package makes it from other layers.

| kind | methods | TensorRT 10 | TensorRT 11 | RTX | CPU | by other layers |
| --- | --- | --- | --- | --- | --- | --- |
`;

const anchor = (kind: string) => `[${kind}](#${kind})`;

function tableRow({ kind, methods, trt10, trt11, rtx1, cpu, decomposed }: LayerSummary): string {
  const stead = Object.entries(decomposed).map(([flavor, releases]) => `${flavor} ${releases}`);
  const onCpu = typeof cpu === 'string' ? cpu : cpu ? 'yes' : null;
  const cells = [anchor(kind), methods.join(', '), trt10, trt11, rtx1, onCpu, stead.join(', ') || '-'];
  return `| ${cells.map((cell) => cell ?? 'no').join(' | ')} |\n`;
}

const modulesIntro = `
## Modules

Methods of tensors, and of networks with one input, and functions, made from the layers above.

| method | what it is | made from |
| --- | --- | --- |
`;

function moduleRow({ method, about, kinds }: ModuleSummary): string {
  return `| ${[method.endsWith('()') ? `\`${method}\`` : `\`x.${method}\``, about.replaceAll('|', '\\|'), kinds.map(anchor).join(', ')].join(' | ')} |\n`;
}

/** How a method or function is called, and the key of its JSDoc. */
export function calls(kind: string): { call: string; key: string }[] {
  const row = layerTable.find(({ definition }) => definition.kind === kind)!;
  const methods = (object: object | undefined, prefix: string) =>
    Object.keys(object ?? {}).map((name) => ({ call: `${prefix}${name}`, key: name }));
  const functions = Object.entries(row.functions ?? {}).map(([name, value]) => ({
    call: name,
    key: `${value.name}()`,
  }));
  return [...methods(row.methods, 'x.'), ...methods(row.networkMethods, 'net.'), ...functions];
}

function section(kind: string, docs: Map<string, string>): string {
  // The heading names the kind already.
  const about = (key: string) => (docs.get(key) ?? '').replace(` TensorRT kind: ${kind}.`, '');
  const lines = calls(kind).map(({ call, key }) => `- \`${call}\`: ${about(key)}\n`);
  return `\n## ${kind}\n\n${lines.join('')}\n\`\`\`ts\n${read(`docs/examples/${kind}.ts`)}\`\`\`\n`;
}

/** The text of docs/layers.md. */
export function layersPage(): string {
  const docs = docsIn('src/layers/kinds/');
  const rows = layerList();
  const modules = modulesIntro + modulesOf().map(moduleRow).join('');
  return intro + rows.map(tableRow).join('') + rows.map(({ kind }) => section(kind, docs)).join('') + modules;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(moduleListFile, moduleListText());
  writeFileSync(docsFile, layersPage());
}
