import { Command } from 'commander';
import { TensorRTError } from '../../errors/error.js';
import { type AnyPlugin, Plugin } from '../../plugin/define.js';
import { writePluginLibrary } from '../../plugin/library-file.js';
import { importModule } from '../shared/module-file.js';
import { print } from '../shared/output.js';

/** Plugins that a module exports, under any name. */
async function exportedPlugins(file: string): Promise<AnyPlugin[]> {
  const plugins = Object.values(await importModule(file)).filter((value): value is AnyPlugin =>
    Boolean(Plugin.definition(value)),
  );
  if (plugins.length > 0) return plugins;
  throw new TensorRTError(
    'ERR_PLUGIN',
    `${file} exports no plugin of definePlugin(), or one of another copy of node-tensorrt`,
  );
}

/** `node-tensorrt plugins library my.ts -o libmy_plugins.so` */
export function pluginsLibraryCommand(): Command {
  return new Command('library')
    .description('write a shared library with which other programs run engines that have these plugins')
    .argument('<modules...>', 'JavaScript or TypeScript modules; all plugins that they export are taken')
    .requiredOption('-o, --output <file>', 'the library, such as libmy_plugins.so')
    .action(async (modules: string[], { output }: { output: string }) => {
      const plugins: AnyPlugin[] = [];
      for (const module of modules) plugins.push(...(await exportedPlugins(module)));
      const creators = await writePluginLibrary(plugins, output);
      const list = creators.map(({ name, version }) => `${name} ${version}`).join(', ');
      print(`${output}: ${list}`);
    });
}
