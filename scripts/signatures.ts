// Writes src/layers/calls/signatures.generated.ts: how every layer method and function is called, read from its types.
// Those types are the one description of options: checks at run time and hover texts both come from them.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { Call, Options, Parameter } from '../src/layers/calls/call.js';

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
export const signaturesFile = path('src/layers/calls/signatures.generated.ts');

/** Folders that declare layer methods and functions. */
const folders = [path('src/layers/'), path('src/modules/')];

function programOf(): ts.Program {
  const config = ts.readConfigFile(path('tsconfig.json'), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, path(''));
  return ts.createProgram([path('src/index.ts')], { ...options, noEmit: true, incremental: false });
}

/** The text of the generated file. */
export function signaturesText(): string {
  const program = programOf();
  const checker = program.getTypeChecker();
  const exportsOf = (file: string) =>
    checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path(file))!)!);
  const resolve = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const find = (file: string, name: string) => resolve(exportsOf(file).find((symbol) => symbol.name === name)!);
  const weightLike = checker.getDeclaredTypeOfSymbol(find('src/values/weight.ts', 'WeightLike'));

  /** An object of options, not a tensor, a list, a typed array, a weight or a function. */
  function isOptions(type: ts.Type): boolean {
    if (type.isIntersection()) return type.types.every(isOptions);
    return (
      !!(type.flags & ts.TypeFlags.Object) &&
      !type.symbol?.valueDeclaration &&
      type.getCallSignatures().length === 0 &&
      type.getNumberIndexType() === undefined &&
      !checker.isTypeAssignableTo(type, weightLike)
    );
  }

  /** The alternatives of a type, without undefined and null. */
  function alternatives(type: ts.Type): ts.Type[] {
    const known = checker.getNonNullableType(checker.getBaseConstraintOfType(type) ?? type);
    return known.isUnion() ? known.types : known.flags & ts.TypeFlags.Never ? [] : [known];
  }

  /** Names of properties (required ones first), template literals and indices (`*` for any letters), with their alternatives. */
  const keysOf = (type: ts.Type): [key: string, types: ts.Type[]][] => [
    ...checker
      .getPropertiesOfType(type)
      .toSorted((a, b) => (a.flags & ts.SymbolFlags.Optional) - (b.flags & ts.SymbolFlags.Optional))
      .map((property): [string, ts.Type[]] => [property.name, alternatives(checker.getTypeOfSymbol(property))]),
    ...checker
      .getIndexInfosOfType(type)
      .map(({ keyType, type }): [string, ts.Type[]] => [
        keyType.flags & ts.TypeFlags.TemplateLiteral ? (keyType as ts.TemplateLiteralType).texts.join('*') : '*',
        alternatives(type),
      ]),
  ];

  /** The known keys of all types that are options, and of options among their values; undefined where there are none. */
  function describeOptions(types: readonly ts.Type[]): Options | undefined {
    const keys = new Map<string, ts.Type[]>();
    for (const [key, values] of types.filter(isOptions).flatMap(keysOf)) {
      if (values.length > 0) keys.set(key, [...(keys.get(key) ?? []), ...values]);
    }
    const inner = Array.from(keys, ([key, values]) => [key, describeOptions(values)] as const).filter(([, one]) => one);
    // `*` alone is a record of values.
    if (keys.size === 0 || (keys.size === 1 && keys.has('*') && inner.length === 0)) return undefined;
    const nested = inner.length > 0 && { nested: Object.fromEntries(inner) as Record<string, Options> };
    return { keys: [...keys.keys()], ...nested };
  }

  /** One parameter in all overloads. */
  function describe(parameters: readonly ts.Symbol[]): Parameter {
    const types = parameters.flatMap((parameter) => alternatives(checker.getTypeOfSymbol(parameter)));
    const isRest = parameters.some(({ valueDeclaration: d }) => d && ts.isParameter(d) && d.dotDotDotToken);
    const { name } = parameters[0]!;
    if (isRest) return { value: name, rest: true };
    const options = describeOptions(types);
    if (!options) return { value: name };
    return types.every(isOptions) ? { options } : { value: name, options };
  }

  function signature(symbol: ts.Symbol): Call {
    const overloads = checker.getTypeOfSymbol(symbol).getCallSignatures();
    const longest = Math.max(...overloads.map(({ parameters }) => parameters.length));
    return Array.from({ length: longest }, (_, i) =>
      describe(overloads.flatMap((overload) => overload.parameters[i] ?? [])),
    );
  }

  const isOurs = (symbol: ts.Symbol) =>
    !!symbol.declarations?.some((node) => folders.some((folder) => node.getSourceFile().fileName.startsWith(folder)));
  const isCallable = (symbol: ts.Symbol) => checker.getTypeOfSymbol(symbol).getCallSignatures().length > 0;
  const network = checker.getDeclaredTypeOfSymbol(find('src/index.ts', 'Network'));
  const methods = network.getProperties().filter((symbol) => isOurs(symbol) && isCallable(symbol));
  const functions = exportsOf('src/index.ts').filter(
    (symbol) => isOurs(resolve(symbol)) && isCallable(resolve(symbol)),
  );
  const table = (symbols: ts.Symbol[]) =>
    symbols
      .map((symbol) => `  ${symbol.name}: ${literal(signature(resolve(symbol)))},\n`)
      .sort()
      .join('');
  return `// Written by \`npm run signatures\` from the types of the methods; a test compares. Not to be edited.
// biome-ignore-all format: one method a line
import type { Call } from './call.js';

/** Methods of tensors and networks. */
export const methodCalls: Readonly<Record<string, Call>> = {
${table(methods)}};

/** Exported functions. */
export const functionCalls: Readonly<Record<string, Call>> = {
${table(functions)}};
`;
}

/** Plain data as source. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  const key = (name: string) => (/^\w+$/.test(name) ? name : `'${name}'`);
  return `{ ${Object.entries(value)
    .map(([name, inner]) => `${key(name)}: ${literal(inner)}`)
    .join(', ')} }`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(signaturesFile, signaturesText());
