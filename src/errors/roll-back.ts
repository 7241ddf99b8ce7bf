/** How something was when the call under way first changed it. */
export interface Before {
  readonly owner: { restore(before: Before): void };
  /** Another one of the same call. */
  next?: Before;
}

/** What the call under way has changed; null outside of calls, where changes stay. */
let changed: Before | undefined | null = null;

/** Whether `owner` is about to change for the first time in this call: then `keep` is to hear how it is. */
export function isUnkept(owner: unknown): boolean {
  if (changed === null) return false;
  for (let one = changed; one; one = one.next) if (one.owner === owner) return false;
  return true;
}

/** Keeps how its owner was, until the call ends. */
export function keep(before: Before): void {
  before.next = changed ?? undefined;
  changed = before;
}

/** Calls. Where that throws, all that it changed goes back to what it was; else that is left to the call around it. */
export function atomic<T>(call: () => T): T {
  const outer = changed;
  changed = undefined;
  let failed = true;
  try {
    const result = call();
    failed = false;
    return result;
  } finally {
    let one = changed as Before | undefined;
    changed = outer;
    while (one) {
      const { next, owner } = one;
      if (failed) owner.restore(one);
      else if (isUnkept(owner)) keep(one);
      one = next;
    }
  }
}

/** Leaves the first `size` entries, in the order in which they came. */
export function cutTo(collection: Set<unknown> | Map<unknown, unknown>, size: number): void {
  if (collection.size === size) return;
  let i = 0;
  for (const key of collection.keys()) if (i++ >= size) collection.delete(key);
}
