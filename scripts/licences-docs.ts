// Writes LICENSES.md from package-lock.json and what is installed.
import { writeFileSync } from 'node:fs';
import { licencesPage } from './lib/licences-page.js';

writeFileSync(new URL('../LICENSES.md', import.meta.url), licencesPage());
