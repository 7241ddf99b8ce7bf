import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application, Logger, LogLevel, ReflectionKind } from 'typedoc';
import { pages, root, site } from './paths.js';

/** A page of the reference. */
export interface SymbolPage {
  text: string;
  link: string;
  group: string;
}

/** Types that public ones mention and that are nothing to use: helpers of inference, and classes that `this` has. */
const notExported = ['TensorSource', 'RecordedNode', 'HostPlaced', 'Nothing', 'Numbers', 'Whole', 'FloatOptions'];

const groups: [ReflectionKind, folder: string, title: string][] = [
  [ReflectionKind.Function, 'functions', 'Functions'],
  [ReflectionKind.Class, 'classes', 'Classes'],
  [ReflectionKind.Variable, 'variables', 'Variables'],
  [ReflectionKind.Interface, 'interfaces', 'Interfaces'],
  [ReflectionKind.TypeAlias, 'type-aliases', 'Types'],
];

/** Members of object types written in place, such as `{ min: number; max: number }`: the docstring around them says what they are. */
const ofLiteral = /\.__type\.\S+ \(Property\), .* does not have any documentation$/;

class Warnings extends Logger {
  readonly told: string[] = [];
  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn && !ofLiteral.test(message)) this.told.push(message);
  }
}

/**
 * Writes a page for every public symbol, from its docstring.
 * @throws where TypeDoc warns: of a symbol without docstring, or of a link that leads nowhere
 */
export async function writeReference(): Promise<SymbolPage[]> {
  const app = await Application.bootstrapWithPlugins({
    entryPoints: [join(root, 'src/index.ts')],
    tsconfig: join(site, 'tsconfig.typedoc.json'),
    basePath: root,
    plugin: ['typedoc-plugin-markdown'],
    out: join(pages, 'api'),
    readme: 'none',
    name: 'Reference',
    skipErrorChecking: true,
    disableSources: true,
    excludePrivate: true,
    excludeInternal: true,
    excludeExternals: true,
    intentionallyNotExported: notExported,
    validation: { notExported: true, invalidLink: true, notDocumented: true },
    ...({
      entryFileName: 'index',
      hidePageHeader: true,
      hideBreadcrumbs: true,
      useCodeBlocks: true,
      sanitizeComments: true,
      parametersFormat: 'table',
      interfacePropertiesFormat: 'table',
      classPropertiesFormat: 'table',
      typeAliasPropertiesFormat: 'table',
      typeDeclarationFormat: 'table',
      indexFormat: 'table',
    } as object),
  });
  const logger = new Warnings();
  app.logger = logger;
  const project = await app.convert();
  if (!project) throw new Error('TypeDoc could not read src/index.ts');
  app.validate(project);
  await app.generateOutputs(project);
  if (logger.told.length > 0) throw new Error(`TypeDoc warns:\n${logger.told.join('\n')}`);
  linkErrors(join(pages, 'api'));
  return groups.flatMap(([kind, folder, group]) =>
    (project.children ?? [])
      .filter((child) => child.kind === kind)
      .map(({ name }) => ({ text: name, link: `/api/${folder}/${name}`, group })),
  );
}

/** Error codes in docstrings become links to what docs/errors.md says of them. */
function linkErrors(folder: string): void {
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.md'),
  )) {
    const path = join(folder, file);
    const parts = readFileSync(path, 'utf8').split(/(^```[\s\S]*?^```$|`[^`\n]+`)/m);
    const linked = parts.map((part) =>
      part.startsWith('`')
        ? part
        : part.replace(/\bERR_[A-Z_]+\b/g, (code) => `[${code}](/errors#${code.toLowerCase()})`),
    );
    writeFileSync(path, linked.join(''));
  }
}
