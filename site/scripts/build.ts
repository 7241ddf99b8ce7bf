import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vitepress';
import { writeReference } from './api.js';
import { sidebar } from './nav.js';
import { writePages } from './pages.js';
import { pages, site } from './paths.js';

/** Writes the pages, then has VitePress render them. Whatever would be a warning is an error. */
export async function buildSite(): Promise<void> {
  rmSync(pages, { recursive: true, force: true });
  await writePages();
  const navigation = sidebar(await writeReference());
  writeFileSync(join(pages, 'sidebar.json'), JSON.stringify(navigation));
  await build(site);
}
