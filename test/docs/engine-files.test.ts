import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeHead, partSize } from '../../src/tensorrt/files/container.js';
import { root } from '../setup/checkout.js';
import { makeProject } from './project.js';
import { complaints } from './type-check.js';

const page = readFileSync(join(root, 'docs/engine-files.md'), 'utf8');
const { at, write } = makeProject('engine-files');

test('the sample compiles, in a project that has this package', () => {
  const [, file, text] = /^```ts\n\/\/ (\S+)\n(.*?)^```/ms.exec(page)!;
  write(file!, text!);
  expect(complaints([at(file!)])).toEqual([]);
}, 120_000);

test('its error codes are those of docs/errors.md', () => {
  const errors = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  for (const [code] of page.matchAll(/ERR_\w+/g)) expect(errors).toContain(`### ${code}\n`);
});

test('the table of the format says where everything is', () => {
  const rows = [...page.matchAll(/^\| ([\w +]+) \| ([\w ]+) \| (.+) \|$/gm)].map(([, at, bytes, what]) => [
    at,
    bytes,
    what,
  ]);
  const at = (text: RegExp) => Number(rows.find(([, , what]) => text.test(what!))![0]);
  const head = encodeHead({ user: {} }, partSize + 1, Uint32Array.of(7, 8));
  const view = new DataView(head.buffer);
  const magic = /`((?:[\da-f]{2} ?){8})`/.exec(page)![1]!.replaceAll(' ', '');
  expect(Buffer.from(head.subarray(0, 8)).toString('hex')).toBe(magic);
  expect(view.getUint32(at(/^version of the format: 1$/), true)).toBe(1);
  expect(view.getUint32(at(/^J: /), true)).toBe('{"user":{}}'.length);
  expect(view.getBigUint64(at(/^O: /), true)).toBe(BigInt(head.length));
  expect(view.getBigUint64(at(/^P: /), true)).toBe(BigInt(partSize + 1));
  expect(view.getUint32(at(/^bytes of a part/), true)).toBe(partSize);
  expect(view.getUint32(at(/^N: /), true)).toBe(2);
  const json = at(/^the metadata/);
  expect(Buffer.from(head.subarray(json, json + 11)).toString()).toBe('{"user":{}}');
  expect([view.getUint32(json + 11, true), view.getUint32(json + 15, true)]).toEqual([7, 8]);
});
