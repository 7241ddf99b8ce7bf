// latency.ts [CELL…]: times of a run, ours and C++'s, of every cell in every way to run it.
import { join } from 'node:path';
import { type Context, deviceTensor, hostTensor, loadEngine, type Result } from 'node-tensorrt';
import { type Cell, cells, differenceFrom, inputOfCell, inputsOfCell, planOfCell } from './cells.js';
import { Driver } from './driver.js';
import { compare, planOf, timeAsync, timeSync } from './measure.js';
import { cellsOf, comparedHead, type Goal, pairsNote, section, work } from './report.js';

/** A way to run an engine once. */
interface Way {
  run(): unknown;
  /** What the last run gave. */
  result(): Promise<Result>;
}

interface Mode {
  name: string;
  /** What C++ does meanwhile. */
  theirs: 'device' | 'graph' | 'pinned' | 'pageable';
  goal: Goal;
  isSync?: true;
  make(): Promise<Way>;
}

function modesOf(context: Context, cell: Cell): Mode[] {
  const { input, precision, batch } = cell;
  const from = { dtype: precision, shape: cell.shape };
  const to = { dtype: precision, shape: [batch, cell.network === 'LeNet' ? 10 : 1000] };
  const data = inputOfCell(cell);

  const onGpu = async (make: (io: ReturnType<typeof gpu>) => Promise<Way['run']> | Way['run']): Promise<Way> => {
    const io = gpu();
    return { run: await make(io), result: () => io.outputs.logits.download() };
  };
  const gpu = () => ({ feeds: { [input]: deviceTensor(from, data) }, outputs: { logits: deviceTensor(to) } });
  const pageLocked = () => {
    const [x, logits] = [hostTensor(from), hostTensor(to)];
    (x.data as Float32Array | Uint16Array).set(data);
    return { feeds: { [input]: x }, outputs: { logits } };
  };
  /** Keeps what the last run gave. */
  const kept = (once: () => Promise<Record<string, unknown>> | Record<string, unknown>): Way => {
    let last: ReturnType<typeof once>;
    const run = () => {
      last = once();
      return last;
    };
    return { run, result: async () => (await last).logits as Result };
  };

  const tight = { ratio: 1.02, more: 3 };
  const awaited = { ratio: 1.02, more: 25 };
  const locked = { ratio: 1.05, more: 25 };
  // 38 MB, which one thread of C++ copies alone.
  const ordinary = data.byteLength > 3e7 ? { ratio: 0.8 } : { ratio: 1.05, more: 30 };
  return [
    {
      name: 'bound, runSync, on the GPU',
      theirs: 'device',
      goal: tight,
      isSync: true,
      make: () =>
        onGpu((io) => {
          const bound = context.bind(io);
          return () => bound.runSync();
        }),
    },
    {
      name: 'graph, launchSync',
      theirs: 'graph',
      goal: tight,
      isSync: true,
      make: () =>
        onGpu(async (io) => {
          const graph = await context.capture(io);
          return () => graph.launchSync();
        }),
    },
    {
      name: 'run, on the GPU',
      theirs: 'device',
      goal: awaited,
      make: () =>
        onGpu(
          ({ feeds, outputs }) =>
            () =>
              context.run(feeds, { outputs }),
        ),
    },
    {
      name: 'bound, run, on the GPU',
      theirs: 'device',
      goal: awaited,
      make: () =>
        onGpu((io) => {
          const bound = context.bind(io);
          return () => bound.run();
        }),
    },
    {
      name: 'graph, launch',
      theirs: 'graph',
      goal: awaited,
      make: () =>
        onGpu(async (io) => {
          const graph = await context.capture(io);
          return () => graph.launch();
        }),
    },
    {
      name: 'run, page-locked',
      theirs: 'pinned',
      goal: locked,
      make: async () => {
        const { feeds, outputs } = pageLocked();
        return kept(() => context.run(feeds, { outputs }));
      },
    },
    {
      name: 'bound, runSync, page-locked',
      theirs: 'pinned',
      goal: locked,
      isSync: true,
      make: async () => {
        const bound = context.bind(pageLocked());
        return kept(() => bound.runSync());
      },
    },
    {
      name: 'run, ordinary arrays',
      theirs: 'pageable',
      goal: ordinary,
      make: async () => kept(() => context.run({ [input]: data })),
    },
  ];
}

const wanted = process.argv.slice(2);
const add = await section('latency', {
  title: 'A run',
  note: `${pairsNote} 'page-locked' copies in and out of page-locked memory; 'ordinary arrays' stands against one memcpy each way in C++. 'apart' is the largest difference of the results, of random inputs.`,
  head: ['network', 'dtype', 'batch', 'ours', ...comparedHead, 'apart'],
});
const drive = new Driver(join(work, 'bin', 'drive'));

async function measure(cell: Cell, { theirs, goal, isSync, make }: Mode): Promise<string[]> {
  const { id, precision } = cell;
  const way = await make();
  await way.run();
  const file = join(work, `${id}.outputs`);
  await drive.ask('outputs', id, theirs, file);
  const apart = differenceFrom(file, (await way.result()).toFloat32(), precision);
  const once = await drive.ask('measure', id, theirs, 5, 20);
  const plan = planOf(once.us);
  const compared = await compare(
    () => (isSync ? timeSync(plan, way.run) : timeAsync(plan, way.run as () => Promise<unknown>)),
    async () => (await drive.ask('measure', id, theirs, plan.warm, plan.runs)).us,
  );
  return [...cellsOf(compared, goal), apart.toExponential(1)];
}

for (const cell of cells.filter(({ id }) => wanted.length === 0 || wanted.includes(id))) {
  const { id, network, precision, batch } = cell;
  try {
    await drive.ask('load', id, planOfCell(cell), inputsOfCell(cell));
    using engine = await loadEngine(planOfCell(cell));
    using context = await engine.createContext();
    for (const mode of modesOf(context, cell)) {
      // One that fails leaves the others.
      const measured = await measure(cell, mode).catch((error: unknown) => {
        console.error(mode.name, error);
        process.exitCode = 1;
      });
      add(network, precision, String(batch), mode.name, ...(measured ?? comparedHead.map(() => 'failed')));
    }
    await drive.ask('free', id);
  } catch (error) {
    console.error(id, error);
    process.exitCode = 1;
  }
}
drive.close();
