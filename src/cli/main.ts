#!/usr/bin/env node
import { programWith } from './program.js';
import { exitCodes, reportError } from './shared/exit.js';
import { endWithReader, flushed } from './shared/output.js';

endWithReader(exitCodes.failed);
try {
  await (await programWith(process.argv[2])).parseAsync();
} catch (error) {
  process.exitCode = reportError(error);
}
await flushed();
// A model's module may have left timers or sockets behind.
process.exit();
