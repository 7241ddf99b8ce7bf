import { beforeAll, describe, expect, test } from 'vitest';
import { binding, type HeldOptions } from '../../src/tensorrt/binding.js';
import { unusual } from '../tensorrt/option-values.js';
import { compiling, prepare, runStandIn } from './harness.js';

const releases = ['10.2.0', '10.6.0', '10.16.0', '11.1.0'] as const;
beforeAll(() => prepare(...releases), compiling);

const number = (release: string): number => {
  const [major, minor, patch] = release.split('.').map(Number) as [number, number, number];
  return major * 10000 + minor * 100 + patch;
};
const others = { refitIdentical: true, hardwareCompatibility: 'ampere_plus', runtimePlatform: 'windows_amd64' };
const needing: Record<string, object> = { excludeLeanRuntime: { versionCompatible: true } };

interface Report {
  options?: HeldOptions & Record<string, unknown>;
  message?: string;
}

describe.each(releases)('TensorRT %s', (release) => {
  const flavor = release.startsWith('10') ? 'trt10' : 'trt11';
  const previews = release === '10.2.0' ? { profile_sharing_0806: true } : { aliased_plugin_io_10_03: true };
  const values: Record<string, unknown> = {
    ...unusual,
    ...others,
    previewFeatures: previews,
    buildRoute: '-conv_use_long_w=off',
  };

  test('every option that it has is read back, alone; any other names the first release that has it', async () => {
    const program = `
      const net = network('linear', { x: float32(2, 4) });
      net.relu().output('y');
      const values = ${JSON.stringify(values)};
      const needing = ${JSON.stringify(needing)};
      const check = (options) => net.check(options).then(({ options }) => ({ options }), ({ code, message }) => ({ message: code + ' ' + message.split('\\n')[0] }));
      const reports = { none: await check() };
      for (const [name, value] of Object.entries(values)) reports[name] = await check({ [name]: value, ...needing[name] });
      console.log(JSON.stringify(reports));`;
    const { result } = await runStandIn<Record<string, Report>>(program, { release });
    const rows = binding().optionTable();
    const has = (name: string) => {
      const first = rows.find((row) => row.name === name)![flavor];
      return first !== null && number(first) <= number(release);
    };
    const before = result.none!.options!;
    // Those that another release has are not told.
    expect(Object.keys(before).sort()).toEqual(
      rows
        .map(({ name }) => name)
        .filter((name) => has(name))
        .sort(),
    );
    for (const [name, value] of Object.entries(values)) {
      const { options, message } = result[name]!;
      if (!has(name)) {
        expect(message).toMatch(new RegExp(`^ERR_UNSUPPORTED build option ${name}: .* needs TensorRT`));
        continue;
      }
      expect(message).toBeUndefined();
      const held =
        typeof value === 'object' && !Array.isArray(value) ? expect.objectContaining(value as object) : value;
      expect(options![name], name).toEqual(held);
      expect(before[name], `${name} has another default`).not.toEqual(held);
      const changed = Object.keys(options!).filter(
        (key) => JSON.stringify(options![key]) !== JSON.stringify(before[key]),
      );
      const beside = name === 'workspace' ? ['memoryPools'] : Object.keys(needing[name] ?? {});
      expect(changed.sort()).toEqual([name, ...beside].sort());
    }
  });

  test('weights that can be refitted one by one, and routes', async () => {
    const { result } = await runStandIn<unknown[]>(
      `
      const net = network('constants', { x: float32(2) });
      net.relu().output('y');
      net.constant({ name: 'bias', dtype: 'float32', shape: [2], data: new Float32Array(2) }).output('z');
      const end = (promise, take) => promise.then(take, ({ code }) => code);
      console.log(JSON.stringify([
        await end(net.check({ refitIndividual: ['bias'] }), ({ options }) => options.refitIndividual),
        await end(net.check(), ({ options }) => options.refitIndividual),
        await end(api.buildRoutes(), (routes) => routes),
        await end(net.check({ tacticSources: ['cudnn'] }), ({ options }) => options.tacticSources),
      ]));`,
      { release },
    );
    const route = {
      option: '-conv_use_long_w',
      allowedValues: '-conv_use_long_w=[on|off]',
      defaultValue: 'on',
      help: 'Convert Conv.',
    };
    const routes = flavor === 'trt11' ? { version: '2.19.15', routes: [route] } : 'ERR_UNSUPPORTED';
    expect(result).toEqual([['bias'], [], routes, flavor === 'trt10' ? ['cudnn'] : 'ERR_UNSUPPORTED']);
  });
});
