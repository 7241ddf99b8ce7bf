/** Edits (insert, delete, replace) between two strings; stops counting beyond `limit`. Wagner-Fischer with two rows. */
export function distance(a: string, b: string, limit = Number.POSITIVE_INFINITY): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? row[j - 1]! : 1 + Math.min(row[j]!, row[j - 1]!, next[j - 1]!);
      next.push(cost);
      if (cost < best) best = cost;
    }
    if (best > limit) return limit + 1;
    row = next;
  }
  return row[b.length]!;
}

const longest = 200;
/** Limit on the candidates considered. */
export const mostCompared = 20_000;

/** Up to three names closest to `name`: first those that end or begin with it, then by number of edits. */
export function nearest(name: string, names: Iterable<string>): string[] {
  const found: { name: string; cost: number }[] = [];
  const others: string[] = [];
  let compared = 0;
  for (const candidate of names) {
    if (++compared > mostCompared) break;
    if (candidate === '' || candidate.length > longest || name.length > longest) continue;
    const nested = candidate.endsWith(`.${name}`) || name.endsWith(`.${candidate}`) || candidate.startsWith(`${name}.`);
    if (nested) found.push({ name: candidate, cost: 0.5 });
    else others.push(candidate);
  }
  // Names that cost more than twice the best are dropped.
  const limit = found.length ? 1 : Math.max(2, Math.ceil(name.length * 0.4));
  for (const candidate of others) {
    // Half of the longer name is left as it is: 't' is not meant by 'u'.
    const most = Math.min(limit, Math.floor(Math.max(name.length, candidate.length) / 2));
    const cost = distance(name, candidate, most);
    if (cost <= most) found.push({ name: candidate, cost });
  }
  found.sort((a, b) => a.cost - b.cost);
  const close = found.filter(({ cost }) => cost <= 2 * found[0]!.cost);
  return close.slice(0, 3).map((f) => f.name);
}

/** `; did you mean 'a' or 'b'?`, or nothing. */
export function suggestion(name: string, names: Iterable<string>): string {
  if (typeof name !== 'string') return ': expected a name';
  const close = nearest(name, names).map((n) => `'${n}'`);
  return close.length ? `; did you mean ${close.join(' or ')}?` : '';
}
