import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { LinkRewriter, otherPages, sectionsOf } from './links.js';
import { pages, root } from './paths.js';
import { pictureOfExample } from './picture.js';
import { plots } from './plots.js';

const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Pages made of sections of the README, which stays the one place of these texts. */
const readmePages = {
  install: ['Installing', 'Which TensorRT'],
  recording: ['Recording a network'],
};

function write(path: string, text: string): void {
  const file = join(pages, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Writes docs/*.md, sections of the README and all that they link to, with links that work on the site. */
export async function writePages(): Promise<void> {
  const readme = sectionsOf(read('README.md'));
  const links = new LinkRewriter(readmePages);
  for (const file of readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')))
    write(file, links.rewrite(withPlots(read(`docs/${file}`)), `docs/${file}`));
  for (const [file, page] of Object.entries(otherPages)) write(`${page}.md`, links.rewrite(read(file), file));
  for (const [page, titles] of Object.entries(readmePages)) {
    const [first, ...others] = titles.map((title) => {
      const section = readme.get(title);
      if (section === undefined) throw new Error(`README.md has no section '${title}'`);
      return section;
    });
    const text = [first!.replace(/^## /, '# '), ...others].join('\n');
    write(`${page}.md`, links.rewrite(text, 'README.md'));
  }
  write('index.md', await homePage(read('README.md')));
  for (const path of links.sources) write(`source/${path}.md`, sourcePage(path));
}

/** Puts figures in the place of `<!-- plot: NAME -->`, which GitHub does not show. */
const withPlots = (text: string): string =>
  text.replace(/^<!-- plot: ([\w-]+) -->$/gm, (_, name: string) => {
    const plot = plots[name];
    if (!plot) throw new Error(`no plot is called '${name}'`);
    return plot();
  });

/** A file of the repository, or a folder's list of files. */
function sourcePage(path: string): string {
  const full = join(root, path);
  if (statSync(full).isDirectory()) {
    const files = readdirSync(full).filter((name) => /\.(ts|cu|py)$/.test(name));
    return [`# ${path}`, ...files.map((name) => `- [${name}](/source/${path}/${name})`), ''].join('\n\n');
  }
  const language = { '.cu': 'cpp', '.ts': 'ts', '.py': 'python' }[extname(path)] ?? 'text';
  return `---\nsearch: false\n---\n\n# ${path}\n\n\`\`\`\`${language}\n${read(path)}\`\`\`\`\n`;
}

async function homePage(readme: string): Promise<string> {
  const [, sample] = /^(```ts\n.*?^```)/ms.exec(readme)!;
  const intro = readme.split('\n\n')[1]!.replaceAll('\n', ' ');
  const template = readFileSync(new URL('../home.md', import.meta.url), 'utf8');
  return template
    .replace('{intro}', intro)
    .replace('<!-- sample -->', sample!)
    .replace('<!-- picture -->', await pictureOfExample(sample!));
}
