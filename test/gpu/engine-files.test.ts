import { expect, test } from 'vitest';
import { wholeProgram } from '../runtime/cases.js';
import { type Ended, resultOf, runChild } from '../tensorrt/child.js';
import { describeGpu, reportFigure } from './support.js';

const start = `
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
const folder = mkdtempSync(join(tmpdir(), 'engine-files-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const anonymous = () => Number(/RssAnon:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
`;

const run = (program: string, limitMs = 200_000): Promise<Ended> =>
  runChild(wholeProgram({ title: '', program: start + program }), { limitMs });

/** An engine of 256 MB, from a plan and from a container, and from their bytes. */
const large = `
const size = 8192;
const net = network('large', { x: float32(1, size) });
net.tensor('x').matmul({ name: 'w', dtype: 'float32', shape: [size, size], data: numbers(size * size) }).output('y');
const built = await net.build();
const [plan, container] = [join(folder, 'large.plan'), join(folder, 'large.engine')];
let began = performance.now();
const saving = async (path, options) => { began = performance.now(); await built.save(path, options); return performance.now() - began; };
const saveMs = [await saving(plan), await saving(container, { metadata: true })];
const x = numbers(size);
const expected = (await built.run({ x })).y.data;
built.dispose();
const load = async (source) => {
  collect();
  const before = anonymous();
  let [most, late, last] = [before, 0, performance.now()];
  const timer = setInterval(() => {
    most = Math.max(most, anonymous());
    late = Math.max(late, performance.now() - last);
    last = performance.now();
  }, 1);
  began = performance.now();
  const engine = await loadEngine(source());
  const ms = performance.now() - began;
  clearInterval(timer);
  same((await engine.run({ x })).y.data, expected, 'y');
  engine.dispose();
  return { ms, most: most - before, late };
};
await load(() => plan);
const loads = { plan: await load(() => plan), container: await load(() => container), bytes: await load(() => readFileSync(plan)) };
console.log(JSON.stringify({ megabytes: readFileSync(plan).length / 2 ** 20, saveMs, loads }));`;

/** Loads mutated plans from number \`from\` on; ends early where a crash made the library unusable. Prints what came of each. */
const mutations = (from: number, to: number) => `
const { bytes } = await build();
const random = (seed) => { let state = (seed * 2654435761 + 1) >>> 0 || 1; return (most) => { state ^= state << 13; state ^= state >>> 17; state ^= state << 5; return (state >>> 0) % most; }; };
for (let i = ${from}; i < ${to}; i++) {
  const next = random(i);
  let plan = Buffer.from(bytes);
  const at = next(plan.length);
  if (i % 4 === 0) plan = plan.subarray(0, at);
  else if (i % 4 === 1) plan.fill(0, at, at + 1 + next(64));
  else plan[at] ^= 1 << next(8);
  const code = await codeOf(async () => (await loadEngine(plan)).dispose());
  console.log('outcome', i, code);
  if (code === 'ERR_TENSORRT_CRASHED') process.exit(0);
}`;

describeGpu('engine files', () => {
  test('an engine of 256 MB: time and memory to save and to load it', async () => {
    const { megabytes, saveMs, loads } = resultOf<{
      megabytes: number;
      saveMs: [number, number];
      loads: Record<'plan' | 'container' | 'bytes', { ms: number; most: number; late: number }>;
    }>(await run(large));
    expect(megabytes).toBeGreaterThan(256);
    reportFigure('ms to save a plan', Math.round(saveMs[0]));
    reportFigure('ms to save a container', Math.round(saveMs[1]));
    for (const [name, { ms, most, late }] of Object.entries(loads)) {
      reportFigure(`ms to load: ${name}`, Math.round(ms));
      reportFigure(`MB of memory while loading: ${name}`, Math.round(most));
      reportFigure(`longest ms without the event loop: ${name}`, Math.round(late));
    }
    console.log(JSON.stringify({ megabytes, saveMs, loads }));
    // Bytes of a caller are copied once, and the caller's are there, too; a file is only mapped.
    expect(loads.plan.most).toBeLessThan(loads.bytes.most - megabytes / 2);
    expect(loads.container.most).toBeLessThan(loads.bytes.most - megabytes / 2);
  });

  test('mutated plans are errors, or load; what they crash is a child process at most', async () => {
    const [count, until] = [400, Date.now() + 120_000];
    const outcomes: Record<string, number> = {};
    let next = 0;
    while (next < count && Date.now() < until) {
      const ended = await run(mutations(next, count), Math.max(10_000, until - Date.now()));
      const told = [...ended.stdout.matchAll(/^outcome (\d+) (\w+)$/gm)];
      for (const [, , code] of told) outcomes[code!] = (outcomes[code!] ?? 0) + 1;
      next = Number(told.at(-1)?.[1] ?? next - 1) + 1;
      if (ended.code === 0) continue;
      outcomes[ended.signal ?? `exit ${ended.code}`] = (outcomes[ended.signal ?? `exit ${ended.code}`] ?? 0) + 1;
      next++;
    }
    console.log(`${next} mutated plans: ${JSON.stringify(outcomes)}`);
    for (const [name, value] of Object.entries(outcomes)) reportFigure(`mutated plans: ${name}`, value);
    const known = [
      'none',
      'ERR_ENGINE',
      'ERR_ENGINE_FILE',
      'ERR_ENGINE_MISMATCH',
      'ERR_TENSORRT_CRASHED',
      'ERR_OUT_OF_MEMORY',
      'ERR_HOST_CODE',
    ];
    const others = Object.keys(outcomes).filter((code) => !known.includes(code) && !code.startsWith('SIG'));
    expect(others).toEqual([]);
    expect(outcomes.ERR_ENGINE).toBeGreaterThan(0);
  });

  test("the plan's first bytes name the release that built it", async () => {
    const { version, header } = resultOf<{ version: string; header: { isRtx: boolean; version: string } }>(
      await run(`
      const engine = await build();
      await engine.save(join(folder, 'a.plan'));
      console.log(JSON.stringify({ version: engine.library.version, header: (await api.readEngineFile(join(folder, 'a.plan'))).plan.header }));`),
    );
    expect(header.version).toBe(version);
  });
});
