import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root, site } from './paths.js';

const texts = [
  'docs/*.md',
  'README.md',
  'SECURITY.md',
  'SUPPORT.md',
  'CONTRIBUTING.md',
  'examples/README.md',
  'site/home.md',
];

/** Words of the texts that neither cspell nor words.txt has. Code is left out. */
export function misspelled(): string[] {
  const args = ['lint', '--no-progress', '--no-summary', '--config', join(site, 'cspell.json'), '--root', root];
  const { stdout, stderr, status } = spawnSync(join(site, 'node_modules/.bin/cspell'), [...args, ...texts], {
    cwd: root,
    encoding: 'utf8',
  });
  const found = stdout.split('\n').filter((line) => line.trim() !== '');
  return status === 0 || found.length > 0 ? found : [`cspell: ${stderr}`];
}
