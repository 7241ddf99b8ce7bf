import { quoted, type Statement } from './expression.js';
import { camelCase, isIdentifier, lastPart } from './names.js';
import type { Item } from './partition.js';

/** What a function is called after the beginning of its layers' names. */
export function functionName(prefix: string): string {
  const parts = prefix.split('.').filter((part) => !/^\d+$/.test(part));
  const last = parts.at(-1);
  if (last === undefined) return 'block';
  return camelCase(prefix.endsWith(last) ? last : last.replace(/s$/, '')) || 'layers';
}

const isAutomatic = ({ kind, layer, unnamed }: Statement): boolean =>
  unnamed && new RegExp(`(^|\\.)(${kind}|if|loop)(_\\d+)?$`).test(layer);

export function baseName(item: Item, index: number): string {
  if (item.is === 'segment') return 'x';
  const { call: made, layer, kind, ids } = item;
  const { results } = made;
  if (results.is === 'paths') return results.paths[index]!.at(-1)!;
  const method = made.method === 'layer' ? kind : made.method;
  const stem = isAutomatic(item) ? method : lastPart(layer);
  const name = camelCase(stem) || method;
  if (ids.length === 1) return name;
  if (made.method === 'topk') return ['values', 'indices'][index]!;
  return made.method === 'nms' ? ['selected', 'count'][index]! : `${name}${index + 1}`;
}

/** The pattern that a call's results are assigned to. */
export function leftSide(item: Item, names: readonly (string | undefined)[]): string {
  const results = item.is === 'call' ? item.call.results : undefined;
  if (results?.is === 'paths') return destructured(results, names);
  if (names.length === 1) return names[0]!;
  const last = names.findLastIndex((name) => name !== undefined);
  return `[${names
    .slice(0, last + 1)
    .map((name, i) => (i === 0 ? '' : ' ') + (name ?? ''))
    .join(',')
    .replace(/^ /, '')}]`;
}

function destructured(
  { paths }: { paths: readonly (readonly string[])[] },
  names: readonly (string | undefined)[],
): string {
  const key = (text: string, name: string) =>
    text === name ? name : `${isIdentifier(text) ? text : quoted(text)}: ${name}`;
  const groups = new Map<string, string[]>();
  for (const [i, path] of paths.entries()) {
    const name = names[i];
    if (name === undefined) continue;
    const [outer, inner] = path.length === 1 ? ['', path[0]!] : [path[0]!, path[1]!];
    groups.set(outer, [...(groups.get(outer) ?? []), key(inner, name)]);
  }
  const parts = Array.from(groups, ([outer, inner]) =>
    outer === '' ? inner.join(', ') : `${outer}: { ${inner.join(', ')} }`,
  );
  return `{ ${parts.join(', ')} }`;
}
