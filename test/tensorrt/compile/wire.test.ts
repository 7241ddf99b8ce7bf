import { describe, expect, test } from 'vitest';
import type { RecordedNode } from '../../../src/dsl/network.js';
import { float32, type Network, network } from '../../../src/index.js';
import { binding } from '../../../src/tensorrt/binding.js';
import { ProgramWriter } from '../../../src/tensorrt/compile/wire.js';
import { chooseTensorRT } from '../../../src/tensorrt/library/find.js';

const { path: library } = await chooseTensorRT({ for: 'build' });

/** What TensorRT makes of a graph that came as these bytes. */
async function lower(...pieces: Uint8Array[]) {
  const program = new (binding().Program)('wire');
  for (const piece of pieces) program.addGraph(piece);
  const { layers } = await program.build(library, { lowerOnly: true }, {});
  return layers!;
}

function write(net: Network, nodes: readonly RecordedNode[] = net.graph.nodes): Uint8Array {
  const writer = new ProgramWriter();
  writer.start({ ...net.graph, debugIds: net.debugIds });
  for (const node of nodes) writer.node(node);
  return writer.take();
}

function small(): Network {
  const net = network('small', { x: float32('批', 3, 8, 8) });
  const [first] = net.inputs;
  first!
    .relu({ name: 'Größe ×2 — 層 🙂' })
    .maxPool({ kernel: [2, 3], padding: 1, name: 'x'.repeat(2000) })
    .clamp({ min: -1.5, max: 1e30 })
    .leakyRelu({ negativeSlope: -0 })
    .output('ausgäbe');
  return net;
}

describe('graphs as bytes', () => {
  test('names of all kinds, sizes and numbers arrive', async () => {
    const net = small();
    const layers = await lower(write(net));
    expect(layers.map(({ name, kind, dtype, shape }) => ({ name, kind, dtype, shape }))).toEqual(
      net.graph.nodes.map(({ name, kind, outputs: [out] }) => ({
        name,
        kind,
        dtype: out!.dtype,
        shape: out!.shape.map((dim) => (typeof dim === 'number' ? dim : -1)),
      })),
    );
  });

  test('pieces may end after any node', async () => {
    const net = small();
    const writer = new ProgramWriter();
    writer.start({ ...net.graph, debugIds: net.debugIds });
    const pieces = [writer.take()];
    for (const node of net.graph.nodes) {
      writer.node(node);
      pieces.push(writer.take());
    }
    expect(await lower(...pieces)).toEqual(await lower(write(net)));
  });

  test('more than fits the first buffer', async () => {
    const net = network('long', { x: float32(4) });
    let x = net.tensor();
    for (let i = 0; i < 1000; i++) x = x.relu({ name: `a name that takes some bytes, number ${i}` });
    x.output('y');
    const bytes = write(net);
    expect(bytes.byteLength).toBeGreaterThan(1 << 15);
    expect((await lower(bytes)).map(({ name }) => name)).toEqual(net.graph.nodes.map(({ name }) => name));
  });

  test('cut off anywhere, they are refused', async () => {
    const bytes = write(small());
    const whole = bytes.byteLength;
    // The long name is cut in a few places only.
    const places = Array.from({ length: whole }, (_, i) => i).filter(
      (i) => i < 150 || i > whole - 150 || i % 200 === 0,
    );
    const outcomes = await Promise.all(
      places.map((length) =>
        lower(bytes.subarray(0, length)).then(
          () => 'lowered',
          (error) => error.code as string,
        ),
      ),
    );
    expect(new Set(outcomes)).toEqual(new Set(['ERR_INTERNAL']));
  });

  test('changed at random, they never take the process along', async () => {
    const bytes = write(small()).slice(0, 150);
    for (let i = 0; i < bytes.length; i++) {
      for (const value of [0x00, 0x7f, 0xff]) {
        const changed = bytes.slice();
        changed[i] = value;
        await lower(changed).catch((error) => expect(error.code).toMatch(/^ERR_/));
      }
    }
  });

  test('no bytes at all', async () => {
    await expect(lower(new Uint8Array())).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
  });
});
