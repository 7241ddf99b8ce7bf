// Builds the site into site/dist. With --test the site is then opened in a browser, page by page, and its spelling is checked.
import { fileURLToPath } from 'node:url';
import { dependenciesAreFresh, installDependencies } from '../../scripts/lib/dependencies.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));
if (!dependenciesAreFresh(folder)) await installDependencies(folder);

const { buildSite } = await import('./build.js');
await buildSite();
if (process.argv.includes('--test')) {
  const { checkSite } = await import('./check.js');
  process.exitCode = (await checkSite()) ? 0 : 1;
}
