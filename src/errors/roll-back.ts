/** The state of something before the current call first changed it. */
export interface Before {
  readonly owner: { restore(before: Before): void };
  /** Another entry of the same call. */
  next?: Before;
}

/** What the current call has changed; null outside calls, where changes are permanent. */
let changed: Before | undefined | null = null;

/** Whether `owner` is about to change for the first time in this call. If so, pass its state to `keep`. */
export function isUnkept(owner: unknown): boolean {
  if (changed === null) return false;
  for (let one = changed; one; one = one.next) if (one.owner === owner) return false;
  return true;
}

/** Keeps the previous state of its owner until the call ends. */
export function keep(before: Before): void {
  before.next = changed ?? undefined;
  changed = before;
}

/** Runs a call. If it throws, everything it changed is restored; otherwise the enclosing call becomes responsible. */
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

/** Keeps only the first `size` entries, in insertion order. */
export function cutTo(collection: Set<unknown> | Map<unknown, unknown>, size: number): void {
  if (collection.size === size) return;
  let i = 0;
  for (const key of collection.keys()) if (i++ >= size) collection.delete(key);
}
