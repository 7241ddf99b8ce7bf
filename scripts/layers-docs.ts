// Writes docs/layers.md: the tables of `node-tensorrt layers`, every method's JSDoc, and one example per kind.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { type LayerSummary, layerList } from '../src/cli/layer-list.js';
import { type ModuleSummary, moduleList } from '../src/cli/module-list.js';
import { layerTable } from '../src/layers/table.js';

const root = new URL('../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
export const docsFile = fileURLToPath(new URL('docs/layers.md', root));

/** JSDoc, as one line without code, of every method (`relu`) and function (`concat()`) below a folder. */
export function docsIn(folder: string): Map<string, string> {
  const docs = new Map<string, string>();
  for (const file of readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const source = ts.createSourceFile(file, read(`${folder}${file}`), ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      const isPublic = ts.isMethodDeclaration(node) || (ts.isFunctionDeclaration(node) && !!node.modifiers?.length);
      const comment = isPublic && ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc)?.comment;
      if (comment) {
        const name = `${node.name!.getText()}${ts.isFunctionDeclaration(node) ? '()' : ''}`;
        const text = ts.getTextOfJSDocComment(comment)!.replace(/```.*?```/gs, '');
        if (!docs.has(name)) docs.set(name, text.replace(/\s+/g, ' '));
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return docs;
}

const intro = `# Layers

<!-- Written by \`npm run docs:layers\`; a test compares. -->

Every kind of TensorRT layer that this package records. \`npx node-tensorrt layers\` prints the same table.
[Modules](#modules) are methods made of several layers. Custom layers (TensorRT's plugins) cannot be recorded yet.

- *TensorRT 10*, *TensorRT 11*, *RTX*: the first release whose interface has the layer. RTX is TensorRT-RTX, NVIDIA's edition for GeForce and RTX GPUs.
- *RTX 1.7.1 builds it*: whether that release builds an engine with it. The interface of TensorRT-RTX has three layers that nothing in it implements.
- *CPU*: whether the CPU backend (onnxruntime) runs it. For \`dist_collective\` it is one rank and passes its input on.
- *by other layers*: releases that lack the layer, or a part of it (\`trt10\` is TensorRT 10). There the package makes it from other layers.

| kind | methods | TensorRT 10 | TensorRT 11 | RTX | RTX 1.7.1 builds it | CPU | by other layers |
| --- | --- | --- | --- | --- | --- | --- | --- |
`;

const anchor = (kind: string) => `[${kind}](#${kind})`;

function tableRow({ kind, methods, trt10, trt11, rtx1, rtx1Builds, cpu, decomposed }: LayerSummary): string {
  const stead = Object.entries(decomposed).map(([flavor, releases]) => `${flavor} ${releases}`);
  const backends = [rtx1Builds, cpu].map((yes) => (yes ? 'yes' : null));
  const cells = [anchor(kind), methods.join(', '), trt10, trt11, rtx1, ...backends, stead.join(', ') || '-'];
  return `| ${cells.map((cell) => cell ?? 'no').join(' | ')} |\n`;
}

const modulesIntro = `
## Modules

Methods of tensors, and of networks with one input, made from the layers above.

| method | what it is | made from |
| --- | --- | --- |
`;

function moduleRow({ method, about, kinds }: ModuleSummary): string {
  return `| ${[`\`x.${method}\``, about.replaceAll('|', '\\|'), kinds.map(anchor).join(', ')].join(' | ')} |\n`;
}

/** How a method or function is called, and under which key its JSDoc is. */
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
  // The heading says the kind.
  const about = (key: string) => (docs.get(key) ?? '').replace(` TensorRT kind: ${kind}.`, '');
  const lines = calls(kind).map(({ call, key }) => `- \`${call}\`: ${about(key)}\n`);
  return `\n## ${kind}\n\n${lines.join('')}\n\`\`\`ts\n${read(`docs/examples/${kind}.ts`)}\`\`\`\n`;
}

/** The text of docs/layers.md. */
export function layersPage(): string {
  const docs = docsIn('src/layers/');
  const rows = layerList();
  const modules = modulesIntro + moduleList().map(moduleRow).join('');
  return intro + rows.map(tableRow).join('') + rows.map(({ kind }) => section(kind, docs)).join('') + modules;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(docsFile, layersPage());
