// npm run docs:gpu [-- REPORT… --bench REPORT…]: merges reports of runs into docs/gpu-results.json, and of bench/gpu/run.sh into docs/gpu-bench.json,
// and renders docs/gpu-results.md.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { mergeBench, readBench, writeBench } from './bench.js';
import { docsFile, page } from './page.js';
import { merge, readResults, writeResults } from './results.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { bench: { type: 'string', multiple: true, default: [] } },
});
const results = merge(readResults(), ...positionals.map((file) => readResults(file)));
writeResults(results);
if (values.bench.length > 0) writeBench(mergeBench(readBench(), ...values.bench.map((file) => readBench(file))));
writeFileSync(docsFile, page(results));
