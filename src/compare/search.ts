/**
 * Halves the way between two places until they are neighbours: at `last` a condition holds, at `next` it does not. Only places
 * between both are tested; where the test cannot say, it returns undefined, and others are tried.
 */
export async function searchChange(
  holdsAt: number,
  failsAt: number,
  test: (place: number) => Promise<boolean | undefined>,
): Promise<{ last: number; next: number }> {
  let [last, next] = [holdsAt, failsAt];
  const known = new Map<number, boolean | undefined>();
  const ask = async (place: number) => {
    if (!known.has(place)) known.set(place, await test(place));
    return known.get(place);
  };
  for (;;) {
    const place = await nearestKnown(last, next, ask);
    if (place === undefined) return { last, next };
    if (known.get(place)) last = place;
    else next = place;
  }
}

/** The place nearest to the middle for which there is an answer. */
async function nearestKnown(
  a: number,
  b: number,
  ask: (place: number) => Promise<boolean | undefined>,
): Promise<number | undefined> {
  const [low, high] = a < b ? [a, b] : [b, a];
  const middle = (low + high) >> 1;
  for (let away = 0; away <= high - low; away++) {
    for (const place of away === 0 ? [middle] : [middle - away, middle + away]) {
      if (place > low && place < high && (await ask(place)) !== undefined) return place;
    }
  }
  return undefined;
}
