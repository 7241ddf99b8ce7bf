#!/usr/bin/env node
// npm run lint:package: publint and "Are the types wrong?" look at what `npm pack` makes. `require` gives the ES module, as
// Node 22 and later do, so that those who compile to CommonJS are told so by TypeScript and not warned of it here.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { orExplain } from '../setup.mjs';
import { pack } from './fresh.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..');
const bin = (name) => join(root, 'node_modules', '.bin', name);

await orExplain(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'node-tensorrt-lint-'));
  try {
    const tarball = await pack(root, dir);
    const types = [
      tarball,
      '--ignore-rules',
      'cjs-resolves-to-esm',
      '--no-definitely-typed',
      '--exclude-entrypoints',
      'digits.safetensors',
    ];
    for (const [command, given] of [
      ['publint', ['run', tarball, '--strict']],
      ['attw', types],
    ])
      if (spawnSync(bin(command), given, { stdio: 'inherit' }).status !== 0) process.exitCode = 1;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
