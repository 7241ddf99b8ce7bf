import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';

// Stands in for vitest where its compiled parts do not run: vitest's own `expect`, and tests one after the other.

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

const made = (value: unknown, message?: string) => {
  setState({ assertionCalls: 0 }, made as never);
  return chai.expect(value, message);
};
const asymmetric = (globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT as never];
export const expect = Object.assign(made, chai.expect, asymmetric);

class Skip extends Error {}
const context = {
  skip(reason: string) {
    throw new Skip(reason);
  },
};

type Work = (...args: never[]) => unknown;
const groups: string[] = [];
const tests: { name: string; work: () => unknown }[] = [];
const endings: Work[] = [];

const fullName = (name: string) => [...groups, name].join(' > ');
const nameOf = (name: string, args: readonly unknown[], index: number) => {
  let next = 0;
  return name.replaceAll(/%([sdi#])/g, (_, kind) => (kind === '#' ? String(index) : String(args[next++])));
};
const listOf = (row: unknown): unknown[] => (Array.isArray(row) ? row : [row]);

export function test(name: string, work: Work): void {
  tests.push({ name: fullName(name), work: () => work(context as never) });
}
test.each = (rows: readonly unknown[]) => (name: string, work: Work) => {
  for (const [i, row] of rows.entries())
    tests.push({ name: fullName(nameOf(name, listOf(row), i)), work: () => work(...(listOf(row) as never[])) });
};
test.for = (rows: readonly unknown[]) => (name: string, work: Work) => {
  for (const [i, row] of rows.entries())
    tests.push({
      name: fullName(nameOf(name, listOf(row), i)),
      work: () => work(...([row, context] as never[])),
    });
};

export function describe(name: string, work: () => void): void {
  groups.push(name);
  work();
  groups.pop();
}

export const afterAll = (work: Work): void => void endings.push(work);

export interface Counts {
  passed: number;
  failed: number;
  /** Skipped, or failed as expected. */
  skipped: number;
  /** Passed, though a failure was expected. */
  unexpected: number;
}

/**
 * Runs what was registered and is wanted.
 * @param whyItFails the reason, for tests that are expected to fail
 */
export async function runTests(
  isWanted: (name: string) => boolean,
  whyItFails: (name: string) => string | undefined,
): Promise<Counts> {
  let [passed, failed, skipped, unexpected] = [0, 0, 0, 0];
  for (const { name, work } of tests.filter((one) => isWanted(one.name))) {
    const start = performance.now();
    const took = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
    try {
      await work();
      if (whyItFails(name) !== undefined) {
        unexpected++;
        console.log(`FAIL ${name} (${took()}): it passes, which was not expected`);
        continue;
      }
      passed++;
      console.log(`ok   ${name} (${took()})`);
    } catch (error) {
      const reason = error instanceof Skip ? error.message : whyItFails(name);
      if (reason !== undefined) {
        skipped++;
        console.log(`skip ${name}: ${reason}`);
        continue;
      }
      failed++;
      console.log(`FAIL ${name} (${took()}): ${(error as Error).message}`);
    }
  }
  for (const work of endings) await work();
  return { passed, failed, skipped, unexpected };
}
