import { addon } from '../../addon.js';
import type { FileMapping } from '../../values/weight.js';
import type { Handle, Memory } from '../binding.js';

/** The part of the addon for builds in other processes. A channel passes memory between two of them; no bytes are copied. */
export interface IsolateBinding {
  /** `end`: the other end, a descriptor for the child. @throws ERR_BUILD_PROCESS */
  openChannel(): { channel: Handle; end: number };
  /** Closes the descriptor once the child has it. */
  closeEnd(end: number): void;
  /** The child ends if the channel goes before it is closed: with the thread that has it. */
  holdChild(channel: Handle, pid: number): void;
  closeChannel(channel: Handle): void;
  /** In the child: the end that it was started with. */
  joinChannel(end: number): Handle;
  /** Keeps a mapping for other processes; undefined if they cannot map it. @throws ERR_DISPOSED if it is closed */
  share(mapping: FileMapping): Handle | undefined;
  /** Where elements lie in it, in bytes; undefined if they do not, or were written in this process, so that another does not see them. */
  placeInShare(share: Handle, data: ArrayBufferView): number | undefined;
  /** False if the other end has to receive first. @throws ERR_BUILD_PROCESS */
  sendShare(channel: Handle, share: Handle): boolean;
  /** @throws ERR_BUILD_PROCESS if none was sent, ERR_WEIGHTS_FILE if it cannot be mapped */
  receiveMapping(channel: Handle): Memory;
  /** @throws ERR_MEMORY, ERR_BUILD_PROCESS */
  sendPlan(channel: Handle, plan: Handle): void;
  /** @throws ERR_BUILD_PROCESS if none was sent, ERR_MEMORY */
  receivePlan(channel: Handle): Handle;
  /** In the child: it ends with its parent, and the system ends it first if memory runs out. */
  serveParent(): void;
}

/** The addon, typed for this folder. @throws ERR_ADDON_MISSING */
export const isolateBinding = (): IsolateBinding => addon<IsolateBinding>();
