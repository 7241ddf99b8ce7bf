import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { columns, escapeForTerminal, figure, size, table } from '../../../src/cli/shared/output.js';
import { node, root } from '../../setup/checkout.js';

const lines = (text: string) => text.split('\n');

describe('a table', () => {
  const long = 'a_very_long_layer_name/'.repeat(8);

  test('is as wide as it needs where there is no terminal', () => {
    const text = table(
      ['name', 'ms'],
      [
        [long, 1.5],
        ['b', 20],
      ],
      { right: [1] },
    );
    expect(lines(text)).toEqual([
      `name${' '.repeat(long.length - 1)}ms`,
      `${long}  1.5`,
      `b${' '.repeat(long.length + 2)}20`,
    ]);
  });

  test.each([40, 80, 200])('fits %d columns, and loses nothing', (width) => {
    const text = table(['name', 'ms', 'kernel'], [[long, 1.5, 'k'.repeat(60)]], { breaks: [0, 2], width });
    for (const line of lines(text)) expect(line.length).toBeLessThanOrEqual(width);
    expect(text.replace(/\s/g, '').split('a_very').length).toBeGreaterThan(0);
    const first = lines(text)
      .slice(1)
      .map((line) => line.slice(0, line.search(/ {2}|$/)));
    expect(first.join('')).toContain('a_very');
    expect([...text].filter((letter) => letter === 'k').length).toBe(61);
    expect([...text].filter((letter) => letter === '/').length).toBe(8);
  });

  test('names cannot steer the terminal, and many rows take no time', () => {
    expect(table(['name'], [['\x1b[2Jgone\u202e\r\n']])).toContain('\\u001b[2Jgone\\u202e\\r\\n');
    const rows = Array.from({ length: 20_000 }, (_, i) => [`layer${i}`, i]);
    expect(lines(table(['name', 'i'], rows))).toHaveLength(20_001);
  });
});

test('columns, figures, sizes', () => {
  expect(
    columns([
      ['a', 1],
      ['bcd', 22],
    ]),
  ).toBe('a    1\nbcd  22');
  expect([figure(1 / 3), figure(2 ** 60), figure(null), figure(12)]).toEqual(['0.333333', '1.15292e+18', '', '12']);
  expect([size(0), size(1536), size(2 ** 30)]).toEqual(['0 bytes', '1.5 KiB', '1.0 GiB']);
  expect(escapeForTerminal('a\u0007\u009b\u2066é日')).toBe('a\\u0007\\u009b\\u2066é日');
});

test('standard output is ours alone once it is reserved; JSON has one line, and no NaN', () => {
  const program = `import { reserveOutput, printJson, note } from ${JSON.stringify(join(root, 'src/cli/shared/output.ts'))};
    reserveOutput();
    console.log('noise');
    process.stdout.write('more');
    printJson({ a: NaN, b: 1n, c: [Infinity, 0.5], d: null });
    note('remark');`;
  const { stdout, stderr } = node(root, ['--import', 'tsx', '--input-type=module', '-e', program]);
  expect(stdout).toBe('{"a":"NaN","b":"1","c":["Infinity",0.5],"d":null}\n');
  expect(stderr).toBe('noise\nmoreremark\n');
});

test('a pipe gets no colours, on CI machines too; FORCE_COLOR asks for them, NO_COLOR refuses them', () => {
  const program = `import { table } from ${JSON.stringify(join(root, 'src/cli/shared/output.ts'))};
    process.stdout.write(table(['name'], [['a']]));`;
  const printed = (env: NodeJS.ProcessEnv) =>
    node(root, ['--import', 'tsx', '--input-type=module', '-e', program], {
      CI: 'true',
      FORCE_COLOR: '',
      NO_COLOR: '',
      ...env,
    }).stdout;
  expect(printed({})).toBe('name\na');
  expect(printed({ FORCE_COLOR: '1' })).toBe('\x1b[1mname\x1b[22m\na');
  expect(printed({ FORCE_COLOR: '1', NO_COLOR: '1' })).toBe('name\na');
});
