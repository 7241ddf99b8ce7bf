import { binding } from '../../src/tensorrt/binding.js';
import { optionTable } from '../../src/tensorrt/compile/option-table.js';

const [begin, end] = ['<!-- options: written by `npm run docs:options` -->', '<!-- options end -->'];

/** `10.6.0` as `10.6`: the releases of the table have no patches but 0. */
const short = (release: string | null): string => release?.replace(/^(\d+\.\d+)\.0$/, '$1') ?? '—';
const code = (text: string | undefined): string =>
  text
    ? text
        .split(', ')
        .map((one) => `\`${one}\``)
        .join(', ')
    : '—';

/** The table of all build options: TensorRT's name, the first release of each flavor that takes it, trtexec's flag. */
export function optionsTable(): string {
  const releases = new Map(
    binding()
      .optionTable()
      .map((row) => [row.name, row]),
  );
  const all = { trt10: '10.0', trt11: '11.0', rtx1: '1.5' };
  const rows = Object.entries(optionTable).map(([name, { tensorrt, trtexec }]) => {
    const { trt10, trt11, rtx1 } = releases.get(name) ?? all;
    return `| \`${name}\` | ${tensorrt || '—'} | ${short(trt10)} | ${short(trt11)} | ${short(rtx1)} | ${code(trtexec)} |`;
  });
  const head = ['option', 'TensorRT', 'TensorRT 10', 'TensorRT 11', 'TensorRT-RTX', 'trtexec'];
  return [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...rows].join('\n');
}

/** The page with a table that is up to date. */
export function optionsPage(page: string): string {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`docs/building.md has no ${begin} … ${end}`);
  return `${before}${begin}\n\n${optionsTable()}\n\n${end}${after}`;
}
