import assert from 'node:assert';
import { describe, expect, test } from 'vitest';
import { chain, rejection } from '../networks.js';

const elapsed = async (promise: Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await promise;
  return performance.now() - began;
};

describe('a signal', () => {
  test('that is aborted already', async () => {
    const reason = new Error('changed my mind');
    const error = await rejection(chain(2).build({ signal: AbortSignal.abort(reason) }));
    expect(error).toMatchObject({ code: 'ERR_ABORTED', cause: reason });
  });

  test('aborted right after the call', async () => {
    const controller = new AbortController();
    const build = rejection(chain(2).build({ signal: controller.signal }));
    controller.abort();
    expect((await build).code).toBe('ERR_ABORTED');
  });

  test('aborted while weights are handed over', async () => {
    const controller = new AbortController();
    const net = chain(2);
    net.linear({ weight: { shape: [2 ** 21, 8], data: new Float32Array(2 ** 24) } }).output('wide');
    const build = rejection(net.build({ signal: controller.signal }));
    // The copy of 64 MiB gives the event loop its turn every few milliseconds.
    setTimeout(() => controller.abort(), 5);
    expect((await build).code).toBe('ERR_ABORTED');
  });

  test('aborted while TensorRT builds: it ends long before the build would', async () => {
    const controller = new AbortController();
    const began = performance.now();
    let steps = 0;
    const onProgress = () => {
      if (++steps === 3) controller.abort();
    };
    const error = await rejection(chain(1500).build({ signal: controller.signal, onProgress }));
    const aborted = performance.now() - began;
    expect(error.code).toBe('ERR_ABORTED');
    expect(aborted).toBeLessThan((await elapsed(chain(1500).build())) / 2);
  });

  test('aborted while another build keeps it waiting: it ends at once', async () => {
    const first = new AbortController();
    const controller = new AbortController();
    let running = true;
    let begin: () => void;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const long = rejection(chain(2500).build({ signal: first.signal, onProgress: () => begin() })).finally(() => {
      running = false;
    });
    await begun;
    const waiting = rejection(chain(1).build({ signal: controller.signal }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    controller.abort();
    expect((await waiting).code).toBe('ERR_ABORTED');
    expect(running).toBe(true);
    first.abort();
    await long;
    using engine = await chain(1).build();
    expect(engine.size).toBeGreaterThan(0);
  });

  test('aborted after the build changes nothing', async () => {
    const controller = new AbortController();
    using engine = await chain(1).build({ signal: controller.signal });
    controller.abort();
    expect(engine.bytes.byteLength).toBe(engine.size);
  });

  test('leaves no listener behind', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners++;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners--;
      removeEventListener.apply(signal, args);
    };
    (await chain(1).build({ signal })).dispose();
    expect(listeners).toBe(0);
  });
});

describe('a callback that throws ends the build', () => {
  test.each(['onProgress', 'onLog'] as const)('%s', async (name) => {
    const mine = new RangeError('mine');
    const net = chain(300);
    if (name === 'onLog') net.nonZero().output('z');
    let calls = 0;
    const error = await rejection(
      net.build({
        [name]: () => {
          calls++;
          throw mine;
        },
      }),
    );
    expect(error).toMatchObject({ code: 'ERR_CALLBACK', cause: mine, message: `${name} threw: mine` });
    expect(calls).toBe(1);
  });

  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const unreadable = new Error('x');
  Object.defineProperty(unreadable, 'message', {
    get() {
      throw revoked.proxy;
    },
  });

  test.each([
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a symbol', Symbol('odd'), 'Symbol(odd)'],
    ['an object without a prototype', Object.create(null), '[Object: null prototype] {}'],
    ['an object whose toString throws', { toString: () => assert.fail('read') }, '{ toString: [Function: toString] }'],
    ['a revoked proxy', revoked.proxy, '<Revoked Proxy>'],
    ['an error that cannot be read', unreadable, ''],
    [
      'an error whose message is a symbol',
      Object.assign(new Error(), { message: Symbol('odd') }),
      'an object that cannot be shown',
    ],
    ['a rejection', 'reject', 'later'],
  ])('whatever it throws: %s', async (_, value, said) => {
    const onProgress = () => {
      if (value === 'reject') return Promise.reject(new RangeError('later'));
      throw value;
    };
    const error = await rejection(chain(300).build({ onProgress: onProgress as () => void }));
    expect(error).toMatchObject({ code: 'ERR_CALLBACK', message: expect.stringMatching(/^onProgress threw: ./) });
    expect(error.message).toContain(said);
    if (value !== 'reject') expect(Object.is(error.cause, value)).toBe(true);
  });
});
