import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { zipSync } from 'fflate';
import { afterAll } from 'vitest';

const DIST = 'tensorrt_rtx_cu13_libs-1.7.1.116.dist-info';
export const WHEEL = 'tensorrt_rtx_cu13_libs-1.7.1.116-py3-none-manylinux_2_28_x86_64.whl';
const digest = (bytes: Uint8Array, encoding: 'hex' | 'base64url') =>
  createHash('sha256').update(bytes).digest(encoding);

/** A wheel as NVIDIA's is laid out, and what fetchTensorRT is to expect. */
export function makeWheel(library = 'library\n', more: Record<string, string> = {}, record = library) {
  const files: Record<string, Uint8Array> = {};
  const add = (name: string, text: string) => {
    files[name] = Buffer.from(text);
  };
  for (const [name, text] of Object.entries(more)) add(name, text);
  add('tensorrt_rtx_libs/libtensorrt_rtx.so.1', library);
  add(`${DIST}/METADATA`, 'Name: tensorrt-rtx-cu13-libs\n');
  const rows = Object.entries(files).map(([name, bytes]) => {
    const real = name.endsWith('.so.1') ? Buffer.from(record) : bytes;
    return `${name},sha256=${digest(real, 'base64url')},${bytes.length}`;
  });
  add(`${DIST}/RECORD`, `${rows.join('\n')}\n${DIST}/RECORD,,\n`);
  const bytes = Buffer.from(zipSync(files));
  const sha256 = digest(bytes, 'hex');
  return { bytes, pin: { wheel: WHEEL, size: bytes.length, sha256 } };
}

export interface Server {
  origin: string;
  /** Method and path of each request. */
  asked: string[];
  headers: IncomingMessage['headers'][];
}

/** An HTTP or HTTPS server on this machine, until the test file is done. */
export async function serve(answer: RequestListener, secure?: { key: string; cert: string }): Promise<Server> {
  const asked: string[] = [];
  const headers: Server['headers'] = [];
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    asked.push(`${request.method} ${request.url}`);
    headers.push(request.headers);
    answer(request, response as ServerResponse & { req: IncomingMessage });
  };
  const server = secure ? createSecureServer(secure, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`, asked, headers };
}

export interface IndexOptions {
  html?: boolean;
  sha256?: string;
  /** Path or address of the wheel. */
  file?: string;
  /** Called for the wheel instead of sending it. */
  send?: RequestListener;
}

/** Answers like an index that has one project with one file. */
export function index(bytes: Uint8Array, { html = false, sha256, file = '/files/', send }: IndexOptions = {}) {
  return ((request, response) => {
    const path = request.url!;
    if (path === '/simple/tensorrt-rtx-cu13-libs/') {
      const url = `${file}${WHEEL}`;
      if (html) return response.setHeader('content-type', 'text/html').end(page(url, sha256));
      const files = [{ filename: WHEEL, url, hashes: sha256 ? { sha256 } : {} }];
      return response.setHeader('content-type', 'application/vnd.pypi.simple.v1+json').end(JSON.stringify({ files }));
    }
    if (!path.startsWith('/files/')) return response.writeHead(404).end();
    if (send) return send(request, response);
    response.end(bytes);
  }) satisfies RequestListener;
}

const page = (url: string, sha256?: string) =>
  `<!DOCTYPE html><html><body><a href="..${url.replace('/files', '/../files')}${sha256 ? `#sha256=${sha256}` : ''}">a wheel</a></body></html>`;
