import { describe, expect, test } from 'vitest';
import { type RunCase, wholeProgram } from '../runtime/cases.js';
import { errors } from '../runtime/errors.js';
import { feeds } from '../runtime/feeds.js';
import { engineFiles } from '../runtime/files.js';
import { gpus } from '../runtime/gpus.js';
import { graphs } from '../runtime/graphs.js';
import { leaks } from '../runtime/leaks.js';
import { measuring } from '../runtime/measure.js';
import { memory } from '../runtime/memory.js';
import { mix } from '../runtime/mix.js';
import { ordering } from '../runtime/ordering.js';
import { queues } from '../runtime/queues.js';
import { resultOf, runChild } from '../tensorrt/child.js';
import { describeGpu } from './support.js';

const all: Record<string, readonly RunCase[]> = {
  ordering,
  feeds,
  queues,
  graphs,
  errors,
  memory,
  gpus,
  leaks,
  mix,
  'engine files': engineFiles,
  measuring,
};

/** The cases that test/stand-in/runs-*.test.ts check on a stand-in. Those that need its switches are skipped. */
describeGpu(
  'runs',
  () => {
    for (const [name, cases] of Object.entries(all)) {
      describe(name, () => {
        for (const one of cases) {
          test.skipIf(one.onStandIn)(one.title, async () => {
            const ended = await runChild(wholeProgram(one), { limitMs: 200_000 });
            expect([ended.code, ended.signal], `${ended.stderr}\n${ended.stdout}`).toEqual([one.code ?? 0, null]);
            const result = ended.stdout.trim() === '' ? undefined : resultOf({ ...ended, code: 0 });
            one.check?.({ ended, log: [], result });
          });
        }
      });
    }
  },
  { files: ['test/runtime'] },
);
