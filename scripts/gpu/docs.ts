// npm run docs:gpu [-- REPORT…]: merges reports of runs into docs/gpu-results.json, and renders docs/gpu-results.md.
import { writeFileSync } from 'node:fs';
import { docsFile, page } from './page.js';
import { merge, readResults, writeResults } from './results.js';

const results = merge(readResults(), ...process.argv.slice(2).map((file) => readResults(file)));
writeResults(results);
writeFileSync(docsFile, page(results));
