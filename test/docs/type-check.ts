import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What TypeScript says of files, with the options of this package. */
export function complaints(files: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const program = ts.createProgram(files, {
    ...options,
    rootDir: undefined,
    noEmit: true,
    allowImportingTsExtensions: true,
    incremental: false,
    tsBuildInfoFile: undefined,
    typeRoots: [join(root, 'node_modules/@types')],
  });
  return ts.getPreEmitDiagnostics(program).map((one) => {
    const line = one.file && one.start !== undefined ? one.file.getLineAndCharacterOfPosition(one.start).line + 1 : 0;
    return `${one.file?.fileName}:${line}: ${ts.flattenDiagnosticMessageText(one.messageText, '\n')}`;
  });
}
