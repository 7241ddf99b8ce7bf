import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { Agent, fetch, ProxyAgent } from 'undici';
import { fromNetrc } from './pip-config.mjs';
import { SetupError } from './process.mjs';

const ATTEMPTS = 4;
const REDIRECTS = 20;

/** An answer that asking again does not change. */
class Refused extends SetupError {}

/** A URL as messages may show it: without user and password. */
export function shown(url) {
  const copy = new URL(url);
  copy.username = '';
  copy.password = '';
  return copy.href;
}

/** `%41` is A; a lone `%` stays one. */
export const decode = (text) =>
  text.replace(/(%[0-9a-f]{2})+/gi, (codes) => {
    try {
      return decodeURIComponent(codes);
    } catch {
      return codes;
    }
  });

/**
 * GETs with pip's settings: certificates, proxies, trusted hosts, and credentials from URLs and ~/.netrc.
 * @param {ReturnType<import('./pip-config.mjs').pipConfig>} config
 */
export class Client {
  #config;
  #env;
  #dispatchers = {};
  #credentials = new Map();

  constructor(config, env) {
    this.#config = config;
    this.#env = env;
    for (const url of [...config.indexes, ...config.findLinks]) this.#remember(url);
  }

  /** Text of at most `limit` bytes, its type, and the address that redirects led to. */
  async text(address, accept, limit = 64 * 2 ** 20) {
    return this.#repeat(async () => {
      const { response, url } = await this.#get(address, { accept });
      const parts = [];
      let length = 0;
      for await (const part of response.body ?? []) {
        length += part.length;
        if (length > limit) throw new Refused(`${shown(url)} is longer than ${limit} bytes`);
        parts.push(part);
      }
      return { url, type: response.headers.get('content-type') ?? '', text: Buffer.concat(parts).toString() };
    });
  }

  /**
   * Passes a file's bytes on in order. After a broken connection it goes on where it was.
   * @param {(bytes: Uint8Array, at: number) => Promise<void>} write `at` is 0 again where the server cannot go on
   */
  async download(address, limit, write) {
    let at = 0;
    await this.#repeat(async () => {
      const range = at ? { range: `bytes=${at}-` } : {};
      const { response, url } = await this.#get(address, { 'accept-encoding': 'identity', ...range });
      if (response.status !== 206 || !response.headers.get('content-range')?.startsWith(`bytes ${at}-`)) at = 0;
      for await (const part of response.body ?? []) {
        if (at + part.length > limit) throw new Refused(`${shown(url)} is longer than the expected ${limit} bytes`);
        await write(part, at);
        at += part.length;
      }
      if (at < limit) throw new Refused(`${shown(url)} has ${at} bytes, not the expected ${limit}`);
    });
  }

  async close() {
    await Promise.all(Object.values(this.#dispatchers).map((one) => one.destroy()));
  }

  async #repeat(work) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (attempt === ATTEMPTS || error instanceof Refused) throw error;
        await sleep(250 * 2 ** attempt);
      }
    }
  }

  async #get(address, headers) {
    let url = new URL(address);
    this.#remember(url.href);
    for (let hop = 0; hop < REDIRECTS; hop++) {
      this.#checkScheme(url);
      const auth = this.#authorization(url);
      const target = shown(url);
      const response = await fetch(target, {
        headers: { 'user-agent': 'node-tensorrt', ...headers, ...(auth && { authorization: auth }) },
        redirect: 'manual',
        dispatcher: this.#dispatcher(url),
      }).catch((error) => {
        const why = error.cause?.message || error.cause?.code || error.message;
        throw new Error(`${target} could not be read: ${why}`, { cause: error });
      });
      const next = [301, 302, 303, 307, 308].includes(response.status) ? response.headers.get('location') : null;
      if (next === null) {
        if (response.ok) return { response, url: target };
        await response.body?.cancel();
        const Kind = response.status >= 500 || response.status === 429 ? Error : Refused;
        throw new Kind(`${target} answered ${response.status} ${response.statusText}`.trimEnd());
      }
      await response.body?.cancel();
      url = new URL(next, url);
    }
    throw new Refused(`${shown(address)} redirects more than ${REDIRECTS} times`);
  }

  #remember(address) {
    if (!URL.canParse(address)) return;
    const { origin, username, password } = new URL(address);
    if (username || password) this.#credentials.set(origin, [username, password].map(decode).join(':'));
  }

  #authorization({ origin, hostname }) {
    const netrc = fromNetrc(hostname, this.#env);
    const pair = this.#credentials.get(origin) ?? (netrc && `${netrc.login}:${netrc.password}`);
    return pair && `Basic ${Buffer.from(pair).toString('base64')}`;
  }

  #isTrusted({ hostname, host }) {
    return this.#config.trustedHosts.some((one) => one === hostname || one === host);
  }

  /** As pip: HTTP only on this machine and for trusted hosts. */
  #checkScheme(url) {
    if (url.protocol === 'https:') return;
    const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
    if (url.protocol === 'http:' && (isLocal || this.#isTrusted(url))) return;
    throw new Refused(
      `${shown(url)} is not read: expected https, or http and the host in pip's trusted-host (${url.hostname})`,
    );
  }

  #dispatcher(url) {
    const trusted = this.#isTrusted(url);
    const proxy = this.#config.proxy || proxyFor(url, this.#env);
    const kind = `${trusted} ${proxy}`;
    this.#dispatchers[kind] ??= this.#makeDispatcher(trusted, proxy);
    return this.#dispatchers[kind];
  }

  #makeDispatcher(trusted, proxy) {
    const { timeout = 60, cert, clientCert } = this.#config;
    const env = this.#env;
    const own = clientCert && readFileSync(clientCert);
    const ca = certificates(cert ?? env.REQUESTS_CA_BUNDLE ?? env.CURL_CA_BUNDLE);
    const secure = { ...(ca && { ca }), ...(own && { cert: own, key: own }), rejectUnauthorized: !trusted };
    const limit = timeout * 1000;
    const common = { headersTimeout: limit, bodyTimeout: limit, connectTimeout: limit };
    if (!proxy) return new Agent({ ...common, connect: secure });
    const uri = /^\w+:\/\//.test(proxy) ? proxy : `http://${proxy}`;
    return new ProxyAgent({ ...common, uri, requestTls: secure, proxyTls: secure });
  }
}

/** The proxy that http_proxy, https_proxy, all_proxy and no_proxy name for a URL, also in capitals. */
function proxyFor({ protocol, hostname, port }, env) {
  const named = (name) => env[name] || env[name.toUpperCase()] || '';
  const isLeftOut = named('no_proxy')
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      const [, host, itsPort] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry);
      return (!itsPort || itsPort === port) && (!host || hostname === host || hostname.endsWith(`.${host}`));
    });
  return isLeftOut ? '' : named(`${protocol.slice(0, -1)}_proxy`) || named('all_proxy');
}

/** The certificates of a bundle, or of all files of a folder; without either those of Node and the system. */
function certificates(path) {
  if (!path) return tls.getCACertificates && [...tls.getCACertificates('default'), ...tls.getCACertificates('system')];
  try {
    if (!statSync(path).isDirectory()) return readFileSync(path);
    return readdirSync(path).map((name) => readFileSync(join(path, name)));
  } catch (error) {
    throw new Refused(`the certificates in ${path} cannot be read: ${error.message}`);
  }
}
