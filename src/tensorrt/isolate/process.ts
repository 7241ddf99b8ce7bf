import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { TensorRTError } from '../../errors/error.js';
import { thrown } from '../../errors/thrown.js';
import { moduleFile, resolveModule } from '../../package/place.js';
import type { CudaInfo, Handle } from '../binding.js';
import { isolateBinding } from './binding.js';
import { deathOf, mostSaid } from './death.js';
import { readFrames, sendFrame } from './frames.js';
import type { Reply, Request, SentError } from './messages.js';

/** Set in the environment of a process that builds for another. */
const mark = 'NODE_TENSORRT_BUILD_PROCESS';
/** Of Node, for this process alone: a debugger's port cannot be had twice. */
const notForChildren = ['NODE_OPTIONS', 'NODE_V8_COVERAGE', 'NODE_CHANNEL_FD', 'NODE_UNIQUE_ID', mark];
/** After the process has ended, what it printed may still be on its way, in ms. */
const waitForWords = 100;

function environment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of notForChildren) delete env[name];
  if (process.versions.electron) env.ELECTRON_RUN_AS_NODE = '1';
  return env;
}

/** Children with the same one can stand in for each other. */
export const circumstances = (): string => JSON.stringify([process.execPath, Object.entries(environment()).sort()]);

const fault = (said: string, cause?: unknown): TensorRTError =>
  new TensorRTError('ERR_BUILD_PROCESS', `no process could be started for the build: ${said}`, { cause });

/** What Node has from 20.16 and 22.3 on. */
interface WithBuiltins {
  getBuiltinModule?(name: 'node:sea'): { isSea(): boolean } | undefined;
}

/** Whether this program is Node with a program inside, which would start once more. */
const isSingleExecutable = (): boolean => (process as WithBuiltins).getBuiltinModule?.('node:sea')?.isSea() ?? false;

function command(): string[] {
  if (process.env[mark]) throw fault('this one was started for a build itself, but runs something else');
  if (isSingleExecutable()) throw fault('a single executable application has no Node that could run it');
  // Bun starts a child from a thread that ends, and the child ends with whoever started it.
  if (process.versions.bun) throw fault('`isolate` needs Node or Deno, and this is Bun');
  const file = moduleFile('tensorrt/isolate/child');
  if (!existsSync(file)) throw fault(`${file} is not there`);
  return [...(file.endsWith('.ts') ? ['--import', pathToFileURL(resolveModule('tsx')).href] : []), file];
}

/** A folder that exists. */
function folder(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}

/** From Node 25 on, sockets need a permission, which the process inherits: it would end without a word of ours. */
function requireSockets(): void {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  const isKnown = process.allowedNodeEnvironmentFlags.has('--allow-net');
  if (permission && isKnown && !permission.has('net'))
    throw fault('its sockets have been restricted. Use --allow-net to manage permissions.');
}

function start(end: number): ChildProcess {
  requireSockets();
  try {
    return spawn(process.execPath, command(), {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', end],
      env: { ...environment(), [mark]: '1' },
      cwd: folder(),
      // A group of its own: Ctrl-C is for the parent, which decides what becomes of the build.
      detached: true,
    });
  } catch (error) {
    throw error instanceof TensorRTError ? error : fault(thrown(error), error);
  }
}

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: unknown): void;
  onEvent?: ((args: readonly unknown[]) => void) | undefined;
}

/** What the addon threw in the child. */
const received = ({ message, facts }: SentError): Error => Object.assign(new Error(message), facts);

/** A child that builds, one network at a time. It ends with this process, whatever ends that. */
export class BuildProcess {
  /** Whether it can stand in for one that is started now. */
  readonly circumstances = circumstances();
  /** What the driver reports there. */
  readonly cuda: Promise<CudaInfo>;
  readonly channel: Handle;
  /** Networks that it was given. */
  builds = 0;
  /** Completes "the process ended while …". */
  doing = 'starting';
  /** Bytes that were resident when somebody looked last. */
  resident = 0;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  #waiting: Waiting | undefined;
  #gone: unknown;
  #words = '';

  /** @throws ERR_BUILD_PROCESS */
  constructor() {
    const native = isolateBinding();
    const { channel, end } = native.openChannel();
    this.channel = channel;
    try {
      this.#child = start(end);
    } catch (error) {
      native.closeChannel(channel);
      throw error;
    } finally {
      native.closeEnd(end);
    }
    if (this.#child.pid !== undefined) native.holdChild(channel, this.#child.pid);
    this.#socket = this.#child.stdio[3] as Socket;
    this.#listen();
    this.cuda = this.#answer('ready').then(({ cuda }) => cuda);
    // It is awaited where a library is chosen, which may never be.
    this.cuda.catch(() => {});
  }

  #listen(): void {
    const child = this.#child;
    readFrames(
      this.#socket,
      (message) => this.#hear(message as Reply),
      () => this.kill(),
    );
    // What happened to the process is told by its end.
    this.#socket.on('error', () => {});
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk: Buffer) => this.#print(chunk));
      stream.on('error', () => {});
    }
    child.on('error', (error) => {
      this.#end(fault(error.message, error));
      if (child.pid === undefined) isolateBinding().closeChannel(this.channel);
    });
    child.on('exit', (code, signal) => {
      isolateBinding().closeChannel(this.channel);
      const end = () => this.#end(this.#deathBy(code, signal));
      const timer = setTimeout(end, waitForWords);
      child.on('close', () => {
        clearTimeout(timer);
        end();
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isAlive(): boolean {
    return this.#gone === undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Whether this process stays while the child lives. */
  hold(busy: boolean): void {
    const streams = [this.#socket, this.#child.stdout as Socket, this.#child.stderr as Socket];
    for (const one of [this.#child, ...streams]) busy ? one.ref() : one.unref();
  }

  send(request: Request): void {
    if (this.isAlive) sendFrame(this.#socket, request);
  }

  /** Sends a request and waits for its answer. @throws what the addon threw there; why the process ended */
  ask<K extends Reply['is']>(
    request: Request,
    is: K,
    onEvent?: (args: readonly unknown[]) => void,
  ): Promise<Extract<Reply, { is: K }>> {
    const answer = this.#answer(is, onEvent);
    this.send(request);
    return answer;
  }

  #answer<K extends Reply['is']>(
    is: K,
    onEvent?: (args: readonly unknown[]) => void,
  ): Promise<Extract<Reply, { is: K }>> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    return new Promise<Reply>((resolve, reject) => {
      this.#waiting = { resolve, reject, onEvent };
    }).then((reply) => {
      if (reply.is === 'failed') throw received(reply.error);
      if (reply.is !== is) throw fault(`it answered '${reply.is}', expected '${is}'`);
      return reply as Extract<Reply, { is: K }>;
    });
  }

  #hear(reply: Reply): void {
    if (reply.is === 'event') {
      this.#waiting?.onEvent?.(reply.args);
      return;
    }
    this.#waiting?.resolve(reply);
    this.#waiting = undefined;
  }

  /** Libraries print there; a process that dies may say why. */
  #print(chunk: Buffer): void {
    this.#words = (this.#words + chunk.toString('latin1')).slice(-mostSaid);
    try {
      writeSync(2, chunk);
    } catch {
      // Nobody reads it.
    }
  }

  #end(error: unknown): void {
    if (this.#gone !== undefined) return;
    this.#gone = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  /** Ends it at once. What waits for it is rejected now, however long the system takes. */
  kill(): void {
    this.#child.kill('SIGKILL');
    this.#end(this.#deathBy(null, 'SIGKILL'));
  }

  #deathBy(code: number | null, signal: NodeJS.Signals | null): TensorRTError {
    return deathOf({ code, signal, words: this.#words, doing: this.doing, resident: this.resident });
  }
}
