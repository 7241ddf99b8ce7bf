// Builds every random graph and prints those that TensorRT does not build; after a crash, another process continues:
// npx tsx test/random/scan.ts. The lists in graphs.test.ts come from it.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { leaves, record } from './description.js';
import { testedGraphs } from './named.js';

const graphs = testedGraphs();

async function buildOne(i: number): Promise<string> {
  const graph = graphs[i]!;
  const { sizes } = graph.description;
  try {
    const { net } = record(graph, leaves(graph.description));
    (await net.build({ profiles: sizes && [sizes] })).dispose();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Builds graphs one after another in child processes; a crashed child is replaced. */
function scan(next: number): void {
  const child = fork(fileURLToPath(import.meta.url), ['child'], { execArgv: ['--import', 'tsx'], stdio: 'ignore' });
  let current = next;
  child.on('message', (message: string) => {
    if (message) console.log(`${current}: ${message}`);
    current++;
    const crashed = message.includes(' crashed while ');
    if (current < graphs.length && !crashed) child.send(current);
    else child.disconnect();
    if (current < graphs.length && crashed) scan(current);
  });
  child.on('exit', (_code, signal) => {
    if (!signal) return;
    console.log(`${current}: ${signal}`);
    if (current + 1 < graphs.length) scan(current + 1);
  });
  child.send(current);
}

if (process.argv[2] === 'child') process.on('message', async (i: number) => process.send!(await buildOne(i)));
else scan(0);
