import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { python, pythonEnvironment } from '../../scripts/lib/python-bindings.js';
import { chooseTensorRT } from '../../src/tensorrt/library/find.js';
import { cases } from './all.js';
import { recordCase } from './case.js';

// `npm run plans`: writes names.json from net.check(), then plans.json from fixtures/plans.py, which needs only those names. `npm run plans -- CASE…` builds those alone.

const names: Record<string, [layer: string, outputs: string[]][]> = {};
for (const [name, one] of Object.entries(cases)) {
  const report = await recordCase(name, one).check();
  names[name] = report.names.layers.map((layer) => [layer.name, layer.outputs]);
}
const lines = Object.entries(names).map(([name, layers]) => `${JSON.stringify(name)}: ${JSON.stringify(layers)}`);
writeFileSync(new URL('fixtures/names.json', import.meta.url), `{\n  ${lines.join(',\n  ')}\n}\n`);

const { path } = await chooseTensorRT({ for: 'build', library: 'rtx1' });
const env = pythonEnvironment(path);
const script = fileURLToPath(new URL('fixtures/plans.py', import.meta.url));
const status = env ? spawnSync(python, [script, ...process.argv.slice(2)], { env, stdio: 'inherit' }).status : 1;
process.exitCode = status ?? 1;
