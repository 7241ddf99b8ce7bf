// Writes the table of build options into docs/building.md, from src/tensorrt/compile/option-table.ts and the addon's releases.
import { readFileSync, writeFileSync } from 'node:fs';
import { optionsPage } from './lib/options-page.js';

const page = new URL('../docs/building.md', import.meta.url);
writeFileSync(page, optionsPage(readFileSync(page, 'utf8')));
