import { ownFeed } from '../../values/feeds.js';
import type { Result } from '../../values/result.js';
import { abortable, checkSignal } from '../../values/signal.js';
import { takeOver } from '../../values/transfer.js';
import type { Context } from './context.js';
import { defaultInFlight, defaultMaxQueued } from './context-options.js';
import type { DeviceTensor } from './device-tensor.js';
import { Queue } from './queue.js';
import type { RunRequest } from './run-options.js';

type Results = Record<string, Result | DeviceTensor>;

/** The context of `engine.run`: the first run makes it, and those that begin before it is there wait for it. */
export class DefaultContext {
  readonly #create: () => Promise<Context>;
  readonly #early = new Queue(defaultInFlight, defaultMaxQueued);
  #made?: Promise<Context> | undefined;
  /** Once it is made. */
  ready?: Context | undefined;

  constructor(create: () => Promise<Context>) {
    this.#create = create;
  }

  /** @param read reads what was given, before this returns. @throws ERR_QUEUE_FULL and what it throws */
  async run(read: () => RunRequest): Promise<Results> {
    const given = read();
    this.#early.requireRoom();
    const request = own(given);
    return await abortable(this.#start(request), request.signal, () => {});
  }

  async #start(request: RunRequest): Promise<Results> {
    this.#early.enter();
    try {
      const context = await this.#make();
      checkSignal('run', request.signal);
      return await context.start(request);
    } finally {
      this.#early.leave();
    }
  }

  #make(): Promise<Context> {
    this.#made ??= this.#create().then((context) => {
      this.ready = context;
      return context;
    });
    this.#made.catch(() => {
      this.#made = undefined;
    });
    return this.#made;
  }

  forget(): void {
    this.#made = this.ready = undefined;
  }
}

/** What is given now counts, though the context has to be made first. Tensors with memory of their own are used where they are. */
function own(request: RunRequest): RunRequest {
  const feeds = request.transfer ? takeOver(request.feeds) : request.feeds;
  return { ...request, feeds: feeds.map((feed) => (feed.placed ? feed : ownFeed(feed))), transfer: false };
}
