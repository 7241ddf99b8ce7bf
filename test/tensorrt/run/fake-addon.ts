import { afterEach } from 'vitest';
import type {
  Handle,
  NativeBinding,
  NativeContextOptions,
  NativeEngine,
  NativeOutput,
  NativeOutputs,
  Placement,
} from '../../../src/tensorrt/binding.js';
import { binding } from '../../../src/tensorrt/binding.js';
import { Engine } from '../../../src/tensorrt/run/engine.js';

// Stands for the addon where the TypeScript around it is tested: what it is called with, and in which order.

interface Memory {
  bytes: Uint8Array;
  isDisposed: boolean;
}

interface Run {
  ticket: number;
  io: readonly Placement[];
  settle(): void;
  fail(error: Error): void;
}

const coded = (code: string, message: string) => Object.assign(new Error(message), { code });
const asMemory = (handle: Handle) => handle as unknown as Memory;
const asHandle = (object: object) => object as unknown as Handle;

/** Bytes that an input has: those at the call, unless the run reads them later. */
const bytesOf = (placement: Placement): Uint8Array => {
  if (typeof placement !== 'object') throw new Error('an input without a placement');
  return 'data' in placement ? placement.data : asMemory((placement as { memory: Handle }).memory).bytes;
};

/**
 * An engine of `x` float32 [n, 2] and `at` int32 [] (in host memory, 0 to 3) with outputs `y`, twice `x`, and `kept`, the elements of `x`
 * above `at`. Elements decide how many these are.
 */
export class FakeAddon {
  readonly calls: string[] = [];
  /** What `createContext` was given last. */
  context?: NativeContextOptions;
  /** Runs that wait while `holds`. */
  readonly waiting: Run[] = [];
  holds = false;
  /** What the next run fails with. */
  fault?: Error;
  refusesGraph?: string;
  refusesPinned?: string;
  readonly released: object[] = [];
  /** Debug tensors of the next run. */
  debug?: NativeOutputs['debug'];

  #compute(io: readonly Placement[], data: Float32Array, at: number): NativeOutputs {
    const n = data.length / 2;
    const doubled = data.map((value) => 2 * value);
    const kept = data.filter((value) => value > at);
    const outputs: NativeOutputs = [this.#put(doubled, [n, 2], io[2]), this.#put(kept, [kept.length], io[3])];
    if (this.debug) outputs.debug = this.debug;
    this.debug = undefined;
    return outputs;
  }

  #put(values: Float32Array, shape: number[], place: Placement): NativeOutput {
    if (place === undefined) return { shape, data: values.slice().buffer };
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    if (place === 'device') return { shape, memory: asHandle({ bytes: bytes.slice(), isDisposed: false }) };
    const memory = asMemory((place as { memory: Handle }).memory);
    memory.bytes.set(bytes);
    return { shape };
  }

  #begin(io: readonly Placement[]): () => NativeOutputs {
    for (const placement of io) {
      if (typeof placement !== 'object' || !('memory' in placement)) continue;
      if (asMemory(placement.memory).isDisposed) throw coded('ERR_DISPOSED', 'the tensor was disposed');
    }
    const x = io[0]!;
    const early = typeof x === 'object' && 'data' in x && !x.transfer ? x.data.slice() : undefined;
    const at = new Int32Array(bytesOf(io[1]).slice().buffer)[0]!;
    return () => this.#compute(io, new Float32Array((early ?? bytesOf(x)).slice().buffer), at);
  }

  #settle<T>(ticket: number, io: readonly Placement[], compute: () => T): Promise<T> {
    const { fault } = this;
    this.fault = undefined;
    return new Promise((resolve, reject) => {
      const settle = () => (fault ? reject(fault) : resolve(compute()));
      const run = { ticket, io, settle, fail: reject };
      if (this.holds) this.waiting.push(run);
      else setImmediate(settle);
    });
  }

  /** Ends the runs that wait. */
  finish(): void {
    for (const run of this.waiting.splice(0)) run.settle();
  }

  readonly binding: Partial<NativeBinding> = {
    createContext: async (_, options) => {
      this.calls.push('createContext');
      this.context = options;
      return { handle: asHandle({}), memorySize: 4096 };
    },
    run: async (_, io, ticket) => {
      this.calls.push('run');
      return this.#settle(ticket, io, this.#begin(io));
    },
    runSync: (_, io) => {
      this.calls.push('runSync');
      const { fault } = this;
      this.fault = undefined;
      if (fault) throw fault;
      return this.#begin(io)();
    },
    cancelRun: (_, ticket) => {
      this.calls.push('cancelRun');
      const at = this.waiting.findIndex((run) => run.ticket === ticket);
      // The first is on the GPU already.
      if (at < 1) return false;
      this.waiting.splice(at, 1)[0]!.fail(coded('ERR_ABORTED', 'the run was cancelled'));
      return true;
    },
    graphRefused: () => this.refusesGraph,
    inferShapes: (_, io) => {
      const x = io[0] as { shape: readonly number[] };
      return [[x.shape[0]!, 2], [-1]];
    },
    bind: (_, io) => {
      this.calls.push('bind');
      this.#begin(io);
      return asHandle({ io });
    },
    outputShapes: (bound) => {
      const { io } = bound as unknown as { io: readonly Placement[] };
      return [[(io[0] as { shape: readonly number[] }).shape[0]!, 2], this.isStatic ? [1] : [-1]];
    },
    runBound: async (bound, ticket) => {
      const { io } = bound as unknown as { io: readonly Placement[] };
      const compute = this.#begin(io);
      return this.#settle(ticket, io, () => (this.isStatic ? void compute() : compute()));
    },
    runBoundSync: (bound) => {
      const { io } = bound as unknown as { io: readonly Placement[] };
      const outputs = this.#begin(io)();
      return this.isStatic ? undefined : outputs;
    },
    capture: async (_, io) => {
      this.calls.push('capture');
      return asHandle({ io });
    },
    launch: async (graph, ticket) => {
      const { io } = graph as unknown as { io: readonly Placement[] };
      const compute = this.#begin(io);
      return this.#settle(ticket, io, () => void compute());
    },
    launchSync: (graph) => {
      const { io } = graph as unknown as { io: readonly Placement[] };
      this.#begin(io)();
    },
    profileRuns: async () => [
      { name: 'conv', ms: 3 },
      { name: 'relu', ms: 1 },
    ],
    hostTensor: (bytes) => {
      const data = new ArrayBuffer(bytes);
      const memory = { bytes: new Uint8Array(data), isDisposed: false };
      return { handle: asHandle(memory), data, pinned: this.refusesPinned === undefined };
    },
    deviceTensor: (device, bytes) => {
      this.calls.push(`deviceTensor ${device} ${bytes}`);
      return asHandle({ bytes: new Uint8Array(bytes), isDisposed: false });
    },
    deviceTensorAt: (_, pointer, bytes) =>
      asHandle({ bytes: new Uint8Array(bytes), isDisposed: false, pointer } as object),
    pointerOf: (tensor) => (tensor as unknown as { pointer?: bigint }).pointer ?? 0x1000n,
    upload: async (tensor, data) => {
      if (this.fault) throw this.fault;
      asMemory(tensor).bytes.set(data);
    },
    download: async (tensor) => asMemory(tensor).bytes.slice().buffer,
    disposeTensor: (tensor) => {
      asMemory(tensor).isDisposed = true;
    },
    hostMemory: () => ({
      pinned: 0,
      cached: 0,
      limit: 1 << 20,
      ...(this.refusesPinned !== undefined && { refused: this.refusesPinned }),
    }),
    deviceMemory: () => ({ free: 1, total: 2, used: 0 }),
    shareEngine: () => 'token 1',
    claimEngine: (token) => {
      if (token !== 'token 1') throw coded('ERR_DISPOSED', 'no engine has this token');
      return { ...this.native(), plan: asHandle({}) };
    },
    release: async (handle) => void this.released.push(handle),
    inspectEngine: async () => '{"Layers": [], "Bindings": []}',
  };

  /** Whether the second output's shape does not depend on elements: it is [1]. */
  isStatic = true;

  native(): NativeEngine {
    const none = { dtype: 'float32' as const, host: false, format: 'linear', alias: -1, profiles: [], values: [] };
    const one = (name: string, input: boolean, shape: number[]) => ({ ...none, name, input, shape });
    return {
      handle: asHandle({}),
      io: [
        {
          ...one('x', true, [-1, 2]),
          profiles: [
            [
              [1, 2],
              [2, 2],
              [8, 2],
            ],
          ],
        },
        { ...one('at', true, []), dtype: 'int32', host: true, values: [[[0], [1], [3]]] },
        one('y', false, [-1, 2]),
        one('kept', false, [-1]),
      ],
      profiles: 1,
      flavor: 'trt10',
      version: '10.6.0',
      memorySizes: [4096],
    };
  }

  engine(): Engine {
    return new Engine({
      library: { path: '/fake', flavor: 'trt10', version: '10.6.0' },
      plan: asHandle({}),
      size: 1,
      inputs: [
        { name: 'x', dtype: 'float32', shape: ['n', 2] },
        { name: 'at', dtype: 'int32', shape: [] },
      ],
      outputs: [
        { name: 'y', dtype: 'float32', shape: ['n', 2] },
        { name: 'kept', dtype: 'float32', shape: this.isStatic ? [1] : ['kept_0'] },
      ],
      loaded: this.native(),
    });
  }
}

/** Puts a fake in the addon's place until the end of the test. */
export function fakeAddon(): FakeAddon {
  const fake = new FakeAddon();
  const addon = binding() as unknown as Record<string, unknown>;
  const real = Object.fromEntries(Object.keys(fake.binding).map((name) => [name, addon[name]]));
  Object.assign(addon, fake.binding);
  restore.push(() => Object.assign(addon, real));
  return fake;
}

const restore: (() => void)[] = [];
afterEach(() => {
  for (const undo of restore.splice(0)) undo();
});
