import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';

const headBytes = 4;
/** More is no message of ours. */
const mostBytes = 2 ** 30;

/** Sends a message: its size in 4 bytes, little-endian, and V8's serialization, in which bytes stay bytes. */
export function sendFrame(socket: Duplex, message: unknown): void {
  const body = serialize(message);
  const head = Buffer.allocUnsafe(headBytes);
  head.writeUInt32LE(body.length);
  socket.cork();
  socket.write(head);
  socket.write(body);
  socket.uncork();
}

/** Reads messages. What is none, as from a process whose memory is damaged, goes to `onFault`, and nothing is read after it. */
export function readFrames(socket: Duplex, onMessage: (message: unknown) => void, onFault: () => void): void {
  let parts: Buffer[] = [];
  let size = 0;
  let wanted = headBytes;
  let inBody = false;
  const take = (): Buffer => {
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    parts = all.length > wanted ? [all.subarray(wanted)] : [];
    size -= wanted;
    return all.subarray(0, wanted);
  };
  const read = (chunk: Buffer): void => {
    parts.push(chunk);
    size += chunk.length;
    while (size >= wanted) {
      const piece = take();
      if (inBody) onMessage(deserialize(piece));
      wanted = inBody ? headBytes : piece.readUInt32LE();
      inBody = !inBody;
      if (wanted > mostBytes || wanted === 0) throw new RangeError('no message');
    }
  };
  const onData = (chunk: Buffer): void => {
    try {
      read(chunk);
    } catch {
      socket.off('data', onData);
      onFault();
    }
  };
  socket.on('data', onData);
}
