/** Prints what failed, what was skipped and why, and as its last line `N passed, N failed[, N skipped]`. */
export default async function* reporter(events) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') yield data.message;
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details?.type === 'suite') continue;
    // A file that ran is an event of its own in some releases.
    if (type === 'test:pass' && data.name.endsWith('.test.mjs')) continue;
    if (data.skip !== undefined) {
      count.skipped++;
      yield `  skipped: ${data.name}: ${data.skip}\n`;
    } else if (type === 'test:pass') count.passed++;
    else {
      count.failed++;
      const { error } = data.details;
      yield `  FAILED: ${data.file ?? ''} ${data.name}\n${error?.cause?.stack ?? error?.stack ?? error}\n`;
    }
  }
  yield `${count.passed} passed, ${count.failed} failed${count.skipped ? `, ${count.skipped} skipped` : ''}\n`;
}
