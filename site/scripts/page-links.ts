const plain = (text: string) => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'");

/**
 * Links that lead nowhere: to no page, to no anchor of a page, or that are no URL. And pages that no link leads to.
 * @param pages HTML by path
 * @param isFile whether the site has another file, such as a picture
 */
export function brokenLinks(pages: ReadonlyMap<string, string>, isFile: (path: string) => boolean) {
  const anchors = new Map(
    [...pages].map(([path, html]) => [
      path,
      new Set([...html.matchAll(/\s(?:id|name)="([^"]*)"/g)].map(([, id]) => plain(id!))),
    ]),
  );
  const broken = new Set<string>();
  const external = new Set<string>();
  const known = new Set<string>();
  const reached = new Set(['/']);
  for (const [path, html] of pages) {
    for (const [, raw] of html.matchAll(/<a\s[^>]*?href="([^"]*)"/g)) {
      const href = plain(raw!);
      if (/^https?:/.test(href)) {
        if (URL.canParse(href) && /\.[a-z]{2,}$|^localhost$/.test(new URL(href).hostname)) external.add(href);
        else broken.add(`${path}: ${href} is no URL`);
        continue;
      }
      const url = new URL(href, `http://site${path}`);
      const target = url.pathname;
      const to = `${target}${url.hash}`;
      if (target !== path) reached.add(target);
      if (known.has(to)) continue;
      const ids = anchors.get(target);
      if (!ids && !isFile(target)) broken.add(`${path}: ${href}: no such page`);
      else if (url.hash && !ids?.has(decodeURIComponent(url.hash.slice(1))))
        broken.add(`${path}: ${href}: no such anchor`);
      else known.add(to);
    }
  }
  for (const path of pages.keys()) if (!reached.has(path)) broken.add(`${path}: no page links to it`);
  return { broken: [...broken], external: external.size };
}
