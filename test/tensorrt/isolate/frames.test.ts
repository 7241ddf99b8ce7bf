import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readFrames, sendFrame } from '../../../src/tensorrt/isolate/frames.js';

const messages = [
  { do: 'load', path: 'größe 🚀' },
  { bytes: Uint8Array.from({ length: 300 }, (_, i) => i) },
  [-0, 5n, null],
];

function bytes(): Buffer {
  const socket = new PassThrough();
  for (const message of messages) sendFrame(socket, message);
  return socket.read() as Buffer;
}

function read(chunks: Iterable<Uint8Array>): { heard: unknown[]; faults: number } {
  const socket = new PassThrough();
  const heard: unknown[] = [];
  let faults = 0;
  readFrames(
    socket,
    (message) => heard.push(message),
    () => faults++,
  );
  for (const chunk of chunks) socket.emit('data', Buffer.from(chunk));
  return { heard, faults };
}

test.each([1, 2, 3, 5, 7, 64, 1000])('messages that come in pieces of %i bytes', (size) => {
  const all = bytes();
  const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
  expect(read(chunks)).toEqual({ heard: messages, faults: 0 });
});

test('what is no message is a fault, once, and nothing is read after it', () => {
  for (let seed = 1; seed < 100; seed++) {
    let state = seed;
    const noise = Uint8Array.from({ length: 200 }, () => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      return state >> 16;
    });
    const { heard, faults } = read([bytes(), noise, noise]);
    expect(heard.slice(0, 3)).toEqual(messages);
    expect(faults).toBeLessThan(2);
  }
  const noMessage = [Uint8Array.of(0, 0, 0, 0), Uint8Array.of(3, 0, 0, 0, 1, 2, 3), Uint8Array.of(0, 0, 0, 255)];
  for (const one of noMessage) expect(read([one, bytes()])).toEqual({ heard: [], faults: 1 });
});
