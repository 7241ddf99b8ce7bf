import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { slug } from 'github-slugger';
import { root } from './paths.js';

/** Pages outside of docs/, by their files. */
export const otherPages: Readonly<Record<string, string>> = {
  'CONTRIBUTING.md': 'contributing',
  'LICENSES.md': 'licenses',
  'SECURITY.md': 'security',
  'SUPPORT.md': 'support',
  'examples/README.md': 'examples',
};

/** Splits at headings of the second level. What precedes the first is left out. */
export function sectionsOf(text: string): Map<string, string> {
  const parts = text.split(/^(?=## )/m).slice(1);
  return new Map(parts.map((part) => [part.slice(3, part.indexOf('\n')), part]));
}

/** Whether a line opens or closes a block of code. */
const isFence = (line: string) => /^ {0,3}(```|~~~)/.test(line);

/** What a page of docs/ calls itself: on the site a link shows that in place of the file's name. */
function titleOf(name: string): string {
  const file = join(root, 'docs', `${name}.md`);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n')[0]!.replace('# ', '') : `${name}.md`;
}

/** Turns links between files of the repository into links between pages. Remembers which files need a page of their own. */
export class LinkRewriter {
  readonly #pageOfSection = new Map<string, string>();
  readonly #sources = new Set<string>();

  constructor(readmePages: Readonly<Record<string, readonly string[]>>) {
    for (const [page, titles] of Object.entries(readmePages))
      for (const title of titles) this.#pageOfSection.set(slug(title), page);
  }

  /** Files and folders that pages link to and that are no pages, with the files in these folders. */
  get sources(): string[] {
    const paths = [...this.#sources];
    const inside = paths
      .filter((path) => statSync(join(root, path)).isDirectory())
      .flatMap((path) =>
        readdirSync(join(root, path))
          .filter((name) => /\.(ts|cu|py)$/.test(name))
          .map((name) => `${path}/${name}`),
      );
    return [...new Set([...paths, ...inside])];
  }

  /** @param file where the text stands, from the root */
  rewrite(text: string, file: string): string {
    let inCode = false;
    return text
      .split('\n')
      .map((line) => {
        if (isFence(line)) inCode = !inCode;
        if (inCode) return line;
        return line
          .replace(/\[(?:docs\/)?([\w-]+)\.md\]\(/g, (_, name: string) => `[${titleOf(name)}](`)
          .replace(/\]\(([^)\s]+)\)/g, (_, target: string) => `](${this.#to(target, file)})`);
      })
      .join('\n');
  }

  #to(target: string, file: string): string {
    if (/^[a-z]+:/.test(target) || target.startsWith('#')) return target;
    const [path, anchor] = target.split('#') as [string, string | undefined];
    const full = normalize(join(dirname(file), path)).replace(/\/$/, '');
    const hash = anchor ? `#${anchor}` : '';
    const doc = /^docs\/([\w-]+)\.md$/.exec(full);
    if (doc) return `/${doc[1]}${hash}`;
    const other = otherPages[full];
    if (other) return `/${other}${hash}`;
    if (full === 'README.md') {
      const page = anchor ? this.#pageOfSection.get(anchor) : 'index';
      if (!page) throw new Error(`${file}: README.md#${anchor} is on no page of the site`);
      return page === 'index' ? '/' : `/${page}${hash}`;
    }
    if (!existsSync(join(root, full))) throw new Error(`${file}: ${target} does not exist`);
    this.#sources.add(full);
    return `/source/${full}`;
  }
}
