import Table from 'cli-table3';
import { Command } from 'commander';
import type { PluginCreator } from '../../plugin/binding.js';
import { loadPluginLibrary, pluginCreators } from '../../tensorrt/library/plugins.js';
import { colors } from '../shared/output.js';
import { pluginsLibraryCommand } from './plugins-library.js';

interface Flags {
  library?: string;
  tensorrt?: string;
  json?: boolean;
}

/** `factor: float32, variance: float32[4]` */
const fieldsText = ({ fields }: PluginCreator): string =>
  fields.map(({ name, type, length }) => `${name}: ${type}${length > 1 ? `[${length}]` : ''}`).join(', ');

function render(creators: readonly PluginCreator[]): string {
  const head = ['name', 'version', 'namespace', 'interface', 'fields'];
  const table = new Table({
    head,
    colWidths: [null, null, null, null, 60],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const one of creators) {
    table.push([colors.bold(one.name), one.version, one.namespace, one.interface, fieldsText(one)]);
  }
  return table.toString();
}

/** Order of the list: by name, then version. */
const byName = (a: PluginCreator, b: PluginCreator): number =>
  a.name.localeCompare(b.name) || a.version.localeCompare(b.version, undefined, { numeric: true });

/** `node-tensorrt plugins ls|library` */
export function pluginsCommand(): Command {
  const plugins = new Command('plugins').description(
    "list TensorRT's plugin creators, or write a library of your own plugins",
  );
  plugins
    .command('ls')
    .description('list every plugin creator: name, version, namespace, interface (V1, V3) and fields with their types')
    .option(
      '--library <file>',
      "only those of this plugin library; without it, TensorRT's own and those of libnvinfer_plugin",
    )
    .option('--tensorrt <file>', 'the TensorRT library, its folder, or a flavor; without it, the best one found')
    .option('--json', 'as JSON')
    .action(async ({ library, tensorrt, json }: Flags) => {
      const options = { library: tensorrt };
      const creators =
        library === undefined ? await pluginCreators(options) : await loadPluginLibrary(library, options);
      const sorted = [...creators].sort(byName);
      console.log(json ? JSON.stringify(sorted) : render(sorted));
    });
  plugins.addCommand(pluginsLibraryCommand().copyInheritedSettings(plugins));
  return plugins;
}
