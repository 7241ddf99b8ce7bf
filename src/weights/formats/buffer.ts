import { Buffer } from 'node:buffer';

/** Bytes as a Buffer, for its searches and decoders; no copy. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
