import { TensorRTError } from '../../errors/error.js';

/** Bytes that an engine is read from: an open file, or memory. */
export interface EngineSource {
  /** What errors call it: the path. */
  readonly name: string;
  /** bytes */
  readonly size: number;
  /** So many bytes from an offset on. @throws ERR_ENGINE_FILE if there are fewer; Node's errors */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** An open file, as far as it is used. Not Node's own type: declarations would need @types/node. */
export interface OpenFile {
  readonly fd: number;
  read(bytes: Uint8Array, at: number, length: number, offset: number): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
}

/** The error for a file that breaks its format. */
export const damaged = (name: string, problem: string): TensorRTError =>
  new TensorRTError('ERR_ENGINE_FILE', `${name} ${problem}`);

export const fileSource = (name: string, size: number, file: OpenFile): EngineSource => ({
  name,
  size,
  async read(offset, length) {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const { bytesRead } = await file.read(bytes, at, length - at, offset + at);
      if (bytesRead === 0) throw damaged(name, 'became shorter while it was read');
      at += bytesRead;
    }
    return bytes;
  },
});
