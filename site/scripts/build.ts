import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vitepress';
import { writeReference } from './api.js';
import { type Nav, sidebar } from './nav.js';
import { writePages } from './pages.js';
import { dist, pages, site } from './paths.js';

export interface Site {
  dist: string;
  nav: Nav;
}

/** Writes the pages, then has VitePress render them. Whatever would be a warning is an error. */
export async function buildSite(): Promise<Site> {
  rmSync(pages, { recursive: true, force: true });
  await writePages();
  const nav = sidebar(await writeReference());
  writeFileSync(join(pages, 'sidebar.json'), JSON.stringify(nav));
  await build(site);
  return { dist, nav };
}
