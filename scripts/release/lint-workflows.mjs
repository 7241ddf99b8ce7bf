#!/usr/bin/env node
// npm run lint:workflows: actionlint (by Go) and zizmor (by pip), in pinned versions, look at .github/workflows.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustRun } from '../install/process.mjs';
import { cacheDir } from '../install/tensorrt.mjs';
import { orExplain } from '../setup.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..');
const actionlint = { module: 'github.com/rhysd/actionlint/cmd/actionlint', version: 'v1.7.12' };
const zizmor = { distribution: 'zizmor', version: '1.32.0' };

async function obtainActionlint() {
  const folder = join(cacheDir(), `actionlint-${actionlint.version}`);
  const path = join(folder, 'actionlint');
  const env = { ...process.env, GOBIN: folder };
  if (!existsSync(path))
    await mustRun('fetching actionlint', 'go', ['install', `${actionlint.module}@${actionlint.version}`], { env });
  return path;
}

async function obtainZizmor() {
  const folder = join(cacheDir(), `zizmor-${zizmor.version}`);
  const path = join(folder, 'bin', 'zizmor');
  const args = ['-I', '-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary=:all:', '--target', folder];
  if (!existsSync(path))
    await mustRun('fetching zizmor', 'python3', [...args, `${zizmor.distribution}==${zizmor.version}`], {});
  return path;
}

await orExplain(async () => {
  const runs = [
    [await obtainActionlint(), ['-color']],
    [await obtainZizmor(), ['--offline', '--persona=pedantic', '.github/workflows', '.github/dependabot.yml']],
  ];
  for (const [command, args] of runs) {
    console.log(`== ${[command.split('/').at(-1), ...args].join(' ')}`);
    const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
    if (status !== 0 || error) process.exitCode = 1;
  }
});
