import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { beforeAll, expect, test } from 'vitest';

// Whoever can call a method can write the types it takes and gives: `const options: PoolOptions = { … }`.
const root = fileURLToPath(new URL('../../', import.meta.url));

/** What `Network.graph` has beyond the IR's nodes; `IRNode` is what users write. */
const internal: readonly string[] = ['RecordedNode'];

let program: ts.Program;
let checker: ts.TypeChecker;
let exported: ts.Symbol[];

beforeAll(() => {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const entry = `${root}src/index.ts`;
  program = ts.createProgram([entry], { ...options, noEmit: true, incremental: false, tsBuildInfoFile: undefined });
  checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
  exported = checker.getExportsOfModule(module).map(resolved);
}, 120_000);

const resolved = (symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

const isOurs = (node: ts.Node): boolean => node.getSourceFile().fileName.startsWith(`${root}src/`);

const isHidden = (node: ts.Node): boolean =>
  ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal') ||
  !!(ts.getCombinedModifierFlags(node as ts.Declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) ||
  !!((node as ts.NamedDeclaration).name && ts.isPrivateIdentifier((node as ts.NamedDeclaration).name!));

/** Type nodes that a declaration shows to its users, with whether it is a parameter. */
function shownBy(node: ts.Node): { type: ts.TypeNode; isParameter: boolean }[] {
  if (ts.isTypeAliasDeclaration(node)) return [{ type: node.type, isParameter: false }];
  if (ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node) || ts.isPropertySignature(node)) {
    return node.type ? [{ type: node.type, isParameter: false }] : [];
  }
  if (!ts.isFunctionLike(node)) return [];
  const parameters = node.parameters.filter(({ name }) => name.getText() !== 'this');
  return [
    ...parameters.flatMap(({ type }) => (type ? [{ type, isParameter: true }] : [])),
    ...(node.type ? [{ type: node.type, isParameter: false }] : []),
  ];
}

/** Where our types come up: each exported symbol, and each member of exported classes, interfaces and namespaces. */
function* shown(): Iterable<{ where: string; type: ts.TypeNode; isParameter: boolean }> {
  for (const symbol of exported) {
    const members =
      symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)
        ? checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
        : [];
    const statics =
      symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Module) ? checker.getExportsOfModule(symbol) : [];
    for (const [owner, one] of [
      ['', symbol],
      ...[...members, ...statics].map((member) => [`${symbol.name}.`, member]),
    ] as [string, ts.Symbol][]) {
      for (const declaration of one.declarations ?? []) {
        if (!isOurs(declaration) || isHidden(declaration)) continue;
        for (const part of shownBy(declaration)) yield { where: `${owner}${one.name}`, ...part };
      }
    }
  }
}

function find(node: ts.Node, is: (node: ts.Node) => boolean, found: ts.Node[] = []): ts.Node[] {
  if (is(node)) found.push(node);
  ts.forEachChild(node, (child) => void find(child, is, found));
  return found;
}

test('every type in the signature of something exported is exported', () => {
  const known = new Set(exported);
  const missing = new Map<string, string>();
  let seen = 0;
  for (const { where, type } of shown()) {
    for (const reference of find(type, ts.isTypeReferenceNode) as ts.TypeReferenceNode[]) {
      const symbol = checker.getSymbolAtLocation(reference.typeName);
      const target = symbol && resolved(symbol);
      if (!target?.declarations?.some(isOurs) || target.flags & ts.SymbolFlags.TypeParameter) continue;
      seen++;
      if (!known.has(target) && !internal.includes(target.name)) missing.set(target.name, where);
    }
  }
  expect(seen).toBeGreaterThan(500);
  expect([...missing].map(([name, where]) => `${name}, of ${where}`).sort()).toEqual([]);
});

test('options have a name', () => {
  const inline = [...shown()].filter(
    ({ type, isParameter }) => isParameter && find(type, ts.isTypeLiteralNode).length > 0,
  );
  expect(inline.map(({ where, type }) => `${where}: ${type.getText()}`)).toEqual([]);
});

/** Declarations that a type node leads to, with those they extend or contain, as far as they are ours. */
function* reached(node: ts.Node, seen: Set<ts.Node>): Iterable<ts.PropertySignature> {
  if (seen.has(node)) return;
  seen.add(node);
  if (ts.isPropertySignature(node) && !isHidden(node)) yield node;
  if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
    const symbol = checker.getSymbolAtLocation(ts.isTypeReferenceNode(node) ? node.typeName : node.expression);
    for (const declaration of (symbol && resolved(symbol).declarations) ?? [])
      if (isOurs(declaration) && (ts.isInterfaceDeclaration(declaration) || ts.isTypeAliasDeclaration(declaration)))
        yield* reached(declaration, seen);
  }
  const inner: ts.Node[] = [];
  ts.forEachChild(node, (child) => void inner.push(child));
  for (const child of inner) if (!ts.isFunctionLike(child) || ts.isFunctionTypeNode(child)) yield* reached(child, seen);
}

test('what may be left out may be undefined, also with exactOptionalPropertyTypes', () => {
  const seen = new Set<ts.Node>();
  const optional = [...shown()]
    .filter(({ isParameter }) => isParameter)
    .flatMap(({ type }) => [...reached(type, seen)])
    .filter(({ questionToken }) => questionToken);
  expect(optional.length).toBeGreaterThan(250);
  const strict = optional.filter(({ type }) => {
    const parts = ts.isUnionTypeNode(type!) ? type.types : [type!];
    return !parts.some(({ kind }) => kind === ts.SyntaxKind.UndefinedKeyword || kind === ts.SyntaxKind.UnknownKeyword);
  });
  const place = (node: ts.Node) =>
    `${(node.parent as ts.InterfaceDeclaration).name?.text ?? 'a literal'}.${(node as ts.PropertySignature).name.getText()}`;
  expect(strict.map(place)).toEqual([]);
});
