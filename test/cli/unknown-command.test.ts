import { expect, test } from 'vitest';
import { temporaryFolder } from '../setup/fake-library.js';
import { cli } from './cli.js';

const folder = temporaryFolder();

test.each([
  [['buidl', 'net.ts'], "unknown command 'buidl'; did you mean 'build'? node-tensorrt --help lists the commands"],
  [['frobnicate'], "unknown command 'frobnicate'; node-tensorrt --help lists the commands"],
  [['constructor'], "unknown command 'constructor'; node-tensorrt --help lists the commands"],
  [
    ['weights', 'lss', 'a'],
    "unknown command 'lss'; did you mean 'ls'? node-tensorrt weights --help lists the commands",
  ],
])('%j is told in one line', async (args, said) => {
  expect(await cli(folder, args)).toEqual({ status: 2, stdout: '', stderr: `error: ${said}\n` });
});
