import { createHash, webcrypto } from 'node:crypto';

/** What is hashed at a time. The system's threads get a copy of each piece, so that nothing they read can change or vanish. */
export const pieceBytes = 4 * 2 ** 20;
/** Below that, another thread costs more than it saves. */
const small = 64 * 2 ** 10;
/** As many threads as Node has for such work. */
const atOnce = 4;

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

let running = 0;
const waiting: (() => void)[] = [];

/** Runs at most `atOnce` in a thread. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

/** SHA-256 of the SHA-256s of pieces of 4 MiB. */
export class PieceHash {
  readonly #pieces: Promise<Uint8Array>[] = [];

  /** Adds the next piece: 4 MiB, or less at the end. @param check throws where the work is to end */
  add(piece: Uint8Array, check: () => void = () => {}): Promise<Uint8Array> {
    const digest = piece.length <= small ? Promise.resolve(digestNow(piece)) : inTurn(() => digestLater(piece, check));
    // It is awaited in the end.
    digest.catch(() => {});
    this.#pieces.push(digest);
    return digest;
  }

  /** 64 hexadecimal digits. */
  async digest(): Promise<string> {
    const hash = createHash('sha256');
    for (const piece of await Promise.all(this.#pieces)) hash.update(piece);
    return hash.digest('hex');
  }
}

const digestNow = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

async function digestLater(piece: Uint8Array, check: () => void): Promise<Uint8Array> {
  check();
  return new Uint8Array(await webcrypto.subtle.digest('SHA-256', piece as Uint8Array<ArrayBuffer>));
}

/** The pieces of some bytes, in order. */
export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** The hash of bytes in memory, off the event loop. @param check throws where the work is to end */
export function hashBytes(bytes: Uint8Array, check?: () => void): Promise<string> {
  const hash = new PieceHash();
  for (const piece of piecesOf(bytes)) hash.add(piece, check);
  return hash.digest();
}
