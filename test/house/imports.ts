import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** An import of one file in src/ by another; paths are relative to src/. */
export interface Arrow {
  from: string;
  to: string;
  /** Whether it remains after compilation. */
  byValue: boolean;
}

/** Files in a folder of the repository and its subfolders, by their paths relative to it. */
export const filesIn = (folder: string, end: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(end))
    .sort();

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The relative modules that a file names, in imports, exports and `import()`. */
function namedIn(file: string): { module: string; byValue: boolean }[] {
  const source = ts.createSourceFile(file, read(`src/${file}`), ts.ScriptTarget.Latest, true);
  const found: { module: string; byValue: boolean }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause;
      const named = clause?.namedBindings;
      const onlyTypes =
        clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
        (clause !== undefined &&
          clause.name === undefined &&
          named !== undefined &&
          ts.isNamedImports(named) &&
          named.elements.length > 0 &&
          named.elements.every((element) => element.isTypeOnly));
      found.push({ module: node.moduleSpecifier.text, byValue: !onlyTypes });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.exportClause;
      const onlyTypes =
        node.isTypeOnly ||
        (clause !== undefined && ts.isNamedExports(clause) && clause.elements.every((element) => element.isTypeOnly));
      found.push({ module: node.moduleSpecifier.text, byValue: !onlyTypes });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [module] = node.arguments;
      if (module && ts.isStringLiteral(module)) found.push({ module: module.text, byValue: true });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const { literal } = node.argument;
      if (ts.isStringLiteral(literal)) found.push({ module: literal.text, byValue: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Every import within src/. */
export function arrows(): Arrow[] {
  return filesIn('src', '.ts').flatMap((from) =>
    namedIn(from)
      .filter(({ module }) => module.startsWith('.'))
      .map(({ module, byValue }) => ({
        from,
        to: normalize(join(dirname(from), module)).replace(/\.js$/, '.ts'),
        byValue,
      })),
  );
}

/** Files that import each other in a circle, each circle sorted. */
export function circles(edges: readonly Arrow[]): string[][] {
  const next = new Map<string, Arrow[]>();
  for (const edge of edges) next.set(edge.from, [...(next.get(edge.from) ?? []), edge]);
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  // Tarjan's strongly connected components.
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const { to } of next.get(file) ?? []) {
      if (!index.has(to)) {
        visit(to);
        low.set(file, Math.min(low.get(file)!, low.get(to)!));
      } else if (stack.includes(to)) low.set(file, Math.min(low.get(file)!, index.get(to)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const component = stack.splice(stack.indexOf(file));
    const loops = (next.get(file) ?? []).some(({ to }) => to === file);
    if (component.length > 1 || loops) found.push(component.sort());
  };
  for (const { from } of edges) if (!index.has(from)) visit(from);
  return found;
}
