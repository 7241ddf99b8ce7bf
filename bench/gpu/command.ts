// `node-tensorrt bench`, as a process of its own, beside C++ that times the same plan by events: both keep two runs under way.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Cell, cells, inputsOfCell, planOfCell } from './cells.js';
import { Driver } from './driver.js';
import { median } from './measure.js';
import { section, work, µs } from './report.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const run = promisify(execFile);
const pairs = 3;
const milliseconds = 700;
/** Most that either figure may be off. */
const apart = 0.02;

interface Figures {
  compute: number;
  /** Runs per second. */
  throughput: number;
}

const ways = [
  { name: 'graph', flags: [], theirs: 'graph' },
  { name: 'enqueueV3', flags: ['--no-cuda-graph'], theirs: 'device' },
  { name: 'graph, copies', flags: ['--transfers'], theirs: 'graph-copies' },
] as const;

async function ours({ batch, id }: Cell, flags: readonly string[]): Promise<Figures & { toDevice: number }> {
  const measuring = ['--warm-up', '200', '--duration', String(milliseconds), '--json'];
  const { stdout } = await run(process.execPath, [main, 'bench', planOfCell({ id } as Cell), ...measuring, ...flags], {
    maxBuffer: 1 << 26,
  });
  const { compute, throughput, toDevice, inputs } = JSON.parse(stdout);
  const shapes = Object.values(inputs as Record<string, { shape: number[] }>);
  if (shapes.some(({ shape }) => shape[0] !== batch)) throw new Error(`${id}: measured at another batch size`);
  return { compute: compute.median * 1000, throughput, toDevice: toDevice.median * 1000 };
}

const add = await section('command', {
  title: 'The command bench',
  note: `The median of the GPU's compute and the throughput as \`node-tensorrt bench\` prints them, beside a program in C++ that times the same plan by CUDA's events. Medians of ${pairs} alternating pairs of ${milliseconds} ms, each side in its own process, inputs of the most likely shape; 'copies' has inputs and outputs in page-locked memory.`,
  head: [
    'network',
    'dtype',
    'batch',
    'way',
    'compute, µs',
    'C++, µs',
    'ratio',
    'runs/s',
    'C++, runs/s',
    'ratio',
    'goal',
    'met',
  ],
});

const given = process.argv.slice(2);
const wanted =
  given.length > 0 ? given : ['LeNet-float32-1', 'ResNet-50-float16-1', 'ResNet-50-float16-64', 'ResNet-50-float32-64'];
const drive = new Driver(join(work, 'bin', 'drive'));
for (const cell of cells.filter(({ id }) => wanted.includes(id))) {
  const { id, network, precision, batch } = cell;
  try {
    await drive.ask('load', id, planOfCell(cell), inputsOfCell(cell));
    for (const { name, flags, theirs } of ways) {
      const [a, b]: [Figures[], Figures[]] = [[], []];
      for (let pair = 0; pair < pairs; pair++) {
        a.push(await ours(cell, flags));
        const { us, perSecond } = await drive.ask<{ us: number; perSecond: number }>(
          'events',
          id,
          theirs,
          200,
          milliseconds,
        );
        b.push({ compute: us, throughput: perSecond });
      }
      const of = (list: Figures[], field: keyof Figures) => median(list.map((one) => one[field]));
      const compute = [of(a, 'compute'), of(b, 'compute')] as const;
      const throughput = [of(a, 'throughput'), of(b, 'throughput')] as const;
      const ratios = [compute[0] / compute[1], throughput[0] / throughput[1]];
      const met = ratios.every((ratio) => Math.abs(ratio - 1) <= apart);
      add(
        network,
        precision,
        String(batch),
        name,
        µs(compute[0]),
        µs(compute[1]),
        ratios[0]!.toFixed(3),
        throughput[0].toFixed(0),
        throughput[1].toFixed(0),
        ratios[1]!.toFixed(3),
        '1 ± 0.02',
        met ? 'yes' : 'no',
      );
    }
    await drive.ask('free', id);
  } catch (error) {
    console.error(id, error);
    process.exitCode = 1;
  }
}
drive.close();
