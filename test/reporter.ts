import { DefaultReporter, type TestCase, type TestModule } from 'vitest/node';

type EndArguments = Parameters<DefaultReporter['onTestRunEnd']>;

/**
 * Prints vitest's own output, then every skipped test (or fully skipped suite) with its reason, and as the very last line
 * `N passed, N failed[, N skipped]`. A suite that cannot be collected, a failing hook, an unhandled error, a test that
 * never ended and a run in which no test ran each count as a failure.
 */
export default class Reporter extends DefaultReporter {
  private line = '0 passed, 1 failed';

  override onInit(...args: Parameters<DefaultReporter['onInit']>): void {
    super.onInit(...args);
    process.once('exit', (code) => {
      // A crash of the run itself is a failure, even if every test passed until then.
      const crashed = code !== 0 && / 0 failed/.test(this.line);
      process.stdout.write(`${crashed ? this.line.replace(' 0 failed', ' 1 failed') : this.line}\n`);
    });
  }

  override onTestRunEnd(...args: EndArguments): void {
    super.onTestRunEnd(...args);
    const [modules, unhandledErrors] = args;
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const passed = count('passed');
    let failed = count('failed') + count('pending') + unhandledErrors.length + sum(modules, brokenSuites);
    if (passed + failed === 0) {
      failed = 1;
      console.log('No test ran.');
    }
    const skipped = tests.filter((test) => test.result().state === 'skipped');
    if (skipped.length) console.log(`Skipped:\n${summary(skipped).join('\n')}`);
    this.line = `${passed} passed, ${failed} failed${skipped.length ? `, ${skipped.length} skipped` : ''}`;
    if (failed) process.exitCode = 1;
  }
}

function sum<T>(list: ReadonlyArray<T>, count: (item: T) => number): number {
  return list.reduce((total, item) => total + count(item), 0);
}

/** Failures of the file or its suites themselves: during collection, or in a hook. */
function brokenSuites(module: TestModule): number {
  return [module, ...module.children.allSuites()].filter((suite) => suite.errors().length > 0).length;
}

/** A line for each skipped test, or a single one for a suite that skipped all of its tests for one reason. */
function summary(skipped: readonly TestCase[]): string[] {
  const count = new Map<string, number>();
  for (const test of skipped) {
    const { parent } = test;
    const whole =
      parent.type === 'suite' && [...parent.children.allTests()].every((one) => one.result().state === 'skipped');
    const line = `  ${test.module.relativeModuleId} > ${whole ? parent.fullName : test.fullName}: ${reasonOf(test)}`;
    count.set(line, (count.get(line) ?? 0) + 1);
  }
  return [...count].map(([line, tests]) => (tests > 1 ? `${line} (${tests} tests)` : line));
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  for (let parent: TestCase['parent'] = test.parent; ; parent = parent.parent) {
    if (parent.errors().length > 0) return 'its suite failed';
    if (parent.type === 'module') break;
  }
  const inGpu = test.module.relativeModuleId.startsWith('test/gpu/');
  return note ?? (inGpu ? 'needs a GPU and a TensorRT that runs on it' : 'no reason given');
}
