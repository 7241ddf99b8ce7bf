// Writes src/layers/calls/signatures.generated.ts: how every layer method and function is called, read from its types.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

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

  /** The known keys of all types that are options, and of options among their values; undefined if there are none. */
  function describeOptions(types: readonly ts.Type[]): string | undefined {
    const keys = new Map<string, ts.Type[]>();
    for (const [key, values] of types.filter(isOptions).flatMap(keysOf)) {
      if (values.length > 0) keys.set(key, [...(keys.get(key) ?? []), ...values]);
    }
    const members = Array.from(keys, ([key, values]) => {
      const inner = describeOptions(values);
      return inner ? `${key}: ${inner}` : key;
    });
    // `{ * }` is a record of values.
    return members.length > 0 && members.join() !== '*' ? `{ ${members.join(', ')} }` : undefined;
  }

  /** One parameter in all overloads. */
  function describe(parameters: readonly ts.Symbol[]): string {
    const types = parameters.flatMap((parameter) => alternatives(checker.getTypeOfSymbol(parameter)));
    const isRest = parameters.some(({ valueDeclaration: d }) => d && ts.isParameter(d) && d.dotDotDotToken);
    const { name } = parameters[0]!;
    if (isRest) return `...${name}`;
    const options = describeOptions(types);
    return options ? (types.every(isOptions) ? options : `${name} | ${options}`) : name;
  }

  function signature(symbol: ts.Symbol, name = symbol.name): string {
    const overloads = checker.getTypeOfSymbol(symbol).getCallSignatures();
    const longest = Math.max(...overloads.map(({ parameters }) => parameters.length));
    const parameters = Array.from({ length: longest }, (_, i) =>
      describe(overloads.flatMap((overload) => overload.parameters[i] ?? [])),
    );
    return `${name}(${parameters.join(', ')})`;
  }

  const isOurs = (symbol: ts.Symbol) =>
    !!symbol.declarations?.some((node) => folders.some((folder) => node.getSourceFile().fileName.startsWith(folder)));
  const isCallable = (symbol: ts.Symbol) => checker.getTypeOfSymbol(symbol).getCallSignatures().length > 0;
  const network = checker.getDeclaredTypeOfSymbol(find('src/index.ts', 'Network'));
  const methods = network.getProperties().filter((symbol) => isOurs(symbol) && isCallable(symbol));
  const functions = exportsOf('src/index.ts').filter(
    (symbol) => isOurs(resolve(symbol)) && isCallable(resolve(symbol)),
  );
  const list = (lines: string[]) => `\`\n${lines.sort().join('\n')}\n\``;
  return `// Written by \`npm run signatures\` from the types of the methods; a test compares. Not to be edited.

/** Methods of tensors and networks: values by their names, options by their keys; \`*\` is for any letters. */
export const methodSignatures = ${list(methods.map((symbol) => signature(symbol)))};

/** Exported functions. */
export const functionSignatures = ${list(functions.map((symbol) => signature(resolve(symbol), symbol.name)))};
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(signaturesFile, signaturesText());
