import { describe, expect, test } from 'vitest';
import { extract, float16, float32, Network, network, rewrite, toTypeScript } from '../../../src/index.js';
import { rejection } from '../networks.js';

const recorded = () => {
  const net = network('formats');
  const x = net.input('x', float16('n', 16, 8, 8), { format: 'hwc8' });
  x.relu().output('y', { format: ['linear', 'chw16'] });
  x.sigmoid().output({ name: 'z', format: 'chw2' });
  x.tanh().output('w');
  return net;
};
const formats = { x: ['hwc8'], y: ['linear', 'chw16'], z: ['chw2'] };

describe('formats of inputs and outputs', () => {
  test('are read back, and only where they are given', async () => {
    expect((await recorded().check()).options.formats).toEqual(formats);
    const plain = network('plain', { x: float32(2) });
    plain.relu().output('y');
    expect((await plain.check()).options).not.toHaveProperty('formats');
  });

  test('outlive JSON and passes', async () => {
    const copies = [
      Network.fromJSON(JSON.parse(JSON.stringify(recorded().toJSON()))),
      rewrite(recorded(), () => undefined),
      extract(recorded()),
    ];
    for (const copy of copies) expect((await copy.check()).options.formats).toEqual(formats);
    const part = extract(recorded(), { outputs: ['y'] });
    expect((await part.check()).options.formats).toEqual({ x: ['hwc8'], y: ['linear', 'chw16'] });
  });

  test('are in the code that toTypeScript writes', () => {
    const { code } = toTypeScript(recorded());
    expect(code).toContain("const x = net.input('x', float16('n', 16, 8, 8), { format: 'hwc8' });");
    expect(code).toContain(".output('y', { format: ['linear', 'chw16'] })");
    expect(code).toContain(".output('z', { format: 'chw2' })");
    expect(code).toContain(".output('w')");
  });

  test('an engine is built', async () => {
    using engine = await recorded().build({ profiles: [{ n: 1 }], directIO: true });
    expect(engine.size).toBeGreaterThan(0);
  });

  test('what is no format is refused where it is given, and leaves nothing behind', async () => {
    const net = network('n', { x: float32(1, 2, 4, 4) });
    const y = net.relu();
    expect(() => y.output('y', { format: 'nhwc' as never })).toThrow(/format: expected linear, chw2, .* given 'nhwc'/);
    expect(() => y.output('y', { format: 'dla_linear' as never })).toThrow(/DLA is on devices/);
    expect(() => y.output('y', { layout: 'hwc' } as never)).toThrow(/there is no option 'layout'/);
    expect(() => net.input('z', float32(2), { format: [] })).toThrow(/format: expected linear/);
    expect(net.outputs).toEqual([]);
    expect(net.inputs).toHaveLength(1);
    expect(y.output('y').name).toBe('y');
  });

  test('formats that no layout of the dtype has are TensorRT’s to refuse', async () => {
    const net = network('wrong');
    net.input('x', float32(2), { format: 'chw32' }).relu().output('y');
    const error = await rejection(net.build());
    expect(error.code).toBe('ERR_BUILD_FAILED');
  });
});
