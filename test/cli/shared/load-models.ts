// load-models.ts JSON: loads each [path, set, limit] after the other, and prints what became of each as one line of JSON.
import { loadNetwork } from '../../../src/cli/shared/model-file.js';
import { print, printJson } from '../../../src/cli/shared/output.js';

const wanted: [path: string, set?: Record<string, string>, limit?: number | null][] = JSON.parse(process.argv[2]!);
for (const [path, set, limit] of wanted) {
  try {
    const net = await loadNetwork(path, set, limit ?? undefined);
    printJson({ name: net.name, inputs: net.toJSON().inputs.map(({ shape }) => shape) });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    printJson({ code, message });
  }
}
print('done');
process.exit();
