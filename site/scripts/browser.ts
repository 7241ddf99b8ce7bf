import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { serveSite } from './serve.js';

export interface Seen {
  name: string;
  problems: string[];
}

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** The Chromium of the PATH, or the one that CHROMIUM names. */
export const findChromium = (): string | undefined =>
  process.env.CHROMIUM ??
  (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));

const atOnce = 2;

/** Opens every page and looks for what is wrong with it; undefined where there is no browser. */
export async function lookAtPages(paths: readonly string[]): Promise<Seen[] | undefined> {
  const executablePath = findChromium();
  if (!executablePath) return undefined;
  const server = await serveSite();
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const context = await browser.newContext();
    // Pages then do not fetch the pages that they link to, which are opened anyway.
    await context.addInitScript("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })");
    const left = [...paths];
    const seen: Seen[] = [];
    const work = async () => {
      const page = await context.newPage();
      for (let path = left.shift(); path !== undefined; path = left.shift()) {
        const problems = await lookAt(page, server.origin, path);
        seen.push({ name: path, problems });
        for (const problem of problems) process.stdout.write(`FAILED ${path}: ${problem}\n`);
        if (seen.length % 100 === 0) process.stderr.write(`opened ${seen.length} of ${paths.length} pages\n`);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return seen;
  } finally {
    await browser.close();
    server.close();
  }
}

async function lookAt(page: Page, origin: string, path: string): Promise<string[]> {
  const problems: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:'))
      problems.push(`request to another host: ${request.url()}`);
  });
  page.on('requestfailed', (request) => problems.push(`request failed: ${request.url()}`));
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`);
  });
  try {
    await page.goto(`${origin}${path}`, { waitUntil: 'load', timeout: 180_000 });
    // VitePress has mounted: what it would say by then is said.
    await page.waitForFunction('document.querySelector("#app")?.__vue_app__ !== undefined', undefined, {
      timeout: 180_000,
    });
    problems.push(...(await contents(page)));
  } catch (error) {
    problems.push((error as Error).message.split('\n')[0]!);
  }
  page.removeAllListeners();
  return problems;
}

/** What a page lacks, and what sticks out of it. */
async function contents(page: Page): Promise<string[]> {
  const { heading, text, wide } = await page.evaluate(() => ({
    heading: document.querySelector('h1')?.textContent?.trim() ?? '',
    text: document.querySelector('main, .VPHome')?.textContent?.length ?? 0,
    wide: document.documentElement.scrollWidth - window.innerWidth,
  }));
  return [
    ...(heading === '' ? ['no heading'] : []),
    ...(text < 40 ? [`only ${text} characters`] : []),
    ...(wide > 0 ? [`${wide} pixels wider than the window`] : []),
  ];
}
