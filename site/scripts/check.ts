import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lookAtPages } from './browser.js';
import { brokenLinks } from './page-links.js';
import { dist } from './paths.js';
import { misspelled } from './spelling.js';

/** Texts first: of the reference and of sources there are many more. */
const order = (file: string) => (/^(api|source)\//.test(file) ? 1 : 0);

/** Every page, by its path: `/`, `/running`, `/api/`. */
function pagesIn(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.html'));
  return new Map(
    files
      .filter((file) => file !== '404.html')
      .sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1))
      .map((file) => [`/${file.replace(/(^|\/)index\.html$/, '$1').replace(/\.html$/, '')}`, join(folder, file)]),
  );
}

/** Checks the site that was built. Prints what is wrong, then `N passed, N failed[, N skipped]`. */
export async function checkSite(): Promise<boolean> {
  const pages = pagesIn(dist);
  const { broken, external } = brokenLinks(
    new Map([...pages].map(([path, file]) => [path, readFileSync(file, 'utf8')])),
    (path) => existsSync(join(dist, path)),
  );
  const results = [
    { name: 'links and anchors', problems: broken },
    { name: 'spelling', problems: misspelled() },
  ];
  for (const { name, problems } of results)
    for (const problem of problems) process.stdout.write(`FAILED ${name}: ${problem}\n`);
  const opened = await lookAtPages([...pages.keys()]);
  if (opened) results.push(...opened);

  const failed = results.filter(({ problems }) => problems.length > 0).length;
  process.stdout.write(`${external} links to other hosts have the form of a URL; they were not opened\n`);
  const skipped = opened ? '' : `, ${pages.size} skipped`;
  if (!opened)
    process.stdout.write('skipped: opening the pages. There is no Chromium here: apt-get install chromium\n');
  process.stdout.write(`${results.length - failed} passed, ${failed} failed${skipped}\n`);
  return failed === 0;
}
