import { Socket } from 'node:net';
import { addon } from '../../addon.js';
import type { IRWeight } from '../../dsl/ir.js';
import type { PluginBinding } from '../../plugin/binding.js';
import type { BuildCallbacks, Handle, Memory, NativeBinding, NativeProgram } from '../binding.js';
import type { IsolateBinding } from './binding.js';
import { readFrames, sendFrame } from './frames.js';
import type { Reply, Request, SentError } from './messages.js';

// The process that builds for another (process.ts starts it). It imports little, because every build of a fresh process waits
// for it. Descriptor 3 carries messages, 4 memory.

type Work = Extract<Request, { do: 'load' | 'plugins' | 'build' | 'combine' }>;

const native = addon<NativeBinding & PluginBinding & IsolateBinding>();
native.serveParent();
const channel: Handle = native.joinChannel(4);
const socket = new Socket({ fd: 3 });
/** At once: threads of TensorRT may never return. */
const leave = (): void => void process.kill(process.pid, 'SIGKILL');
const say = (reply: Reply): void => sendFrame(socket, reply);

/** The build that is being told, or is under way. */
let program: NativeProgram | undefined;
const mappings: Memory[] = [];
let callbacks: BuildCallbacks = {};
/** What failed before the request that will be answered. */
let failed: unknown;

function sent(error: unknown): SentError {
  const { message, ...facts } = error as Error;
  return { message, facts };
}

const closeMappings = (): void => {
  for (const mapping of mappings.splice(0)) mapping.close();
};

function prepare(request: Exclude<Request, Work>): void {
  switch (request.do) {
    case 'program':
      failed = undefined;
      closeMappings();
      program = new native.Program(request.name);
      return;
    case 'map':
      mappings.push(native.receiveMapping(channel));
      return;
    case 'weights':
      program!.addWeights(
        request.weights.map(({ mapping, offset, length, ...weight }): IRWeight => {
          const memory = mappings[mapping]!;
          return { ...weight, data: new Uint8Array(memory.view(offset, length)), mapping: memory };
        }),
      );
      return;
    case 'graph':
      program!.addGraph(request.bytes);
      return;
    case 'kernels':
      program!.addPlugins(request.plugins);
      return;
    case 'cancel':
      callbacks.cancel?.();
  }
}

async function build({ library, options, listens, timingCache }: Extract<Request, { do: 'build' }>): Promise<Reply> {
  const built = program!;
  program = undefined;
  try {
    if (failed) throw failed;
    if (listens) callbacks.onEvent = (...args) => say({ is: 'event', args });
    const { plan, ...report } = await built.build(library, options, callbacks, timingCache);
    if (plan) {
      native.sendPlan(channel, plan);
      await native.release(plan);
    }
    return { is: 'built', report, hasPlan: plan !== undefined };
  } finally {
    callbacks = {};
    closeMappings();
  }
}

async function answer(request: Work): Promise<Reply> {
  switch (request.do) {
    case 'load':
      return { is: 'loaded', library: await native.loadLibrary(request.path) };
    case 'plugins':
      for (const path of request.paths) await native.loadPluginLibrary(request.library, path);
      return { is: 'done' };
    case 'build':
      return build(request);
    case 'combine': {
      const { library, caches, ignoreMismatch } = request;
      return { is: 'combined', cache: await native.combineTimingCaches(library, caches, ignoreMismatch) };
    }
  }
}

const isWork = (request: Request): request is Work => ['load', 'plugins', 'build', 'combine'].includes(request.do);

function hear(message: unknown): void {
  const request = message as Request;
  if (isWork(request)) {
    answer(request).then(say, (error: unknown) => say({ is: 'failed', error: sent(error) }));
    return;
  }
  try {
    prepare(request);
  } catch (error) {
    failed ??= error;
  }
}

socket.on('error', leave);
socket.on('close', leave);
socket.on('end', leave);
readFrames(socket, hear, leave);
say({ is: 'ready', cuda: await native.cudaInfo() });
