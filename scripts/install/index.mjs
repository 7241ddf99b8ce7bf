import { readdirSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { decode, shown } from './http.mjs';

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';
const ACCEPT = `${JSON_TYPE}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1`;

/**
 * A file that an index, a page of links or a folder offers.
 * @typedef {{ url: string, filename: string, sha256?: string }} Offer
 */

/**
 * Where pip would look for a project, in its order of trust: what is near first.
 * @param {ReturnType<import('./pip-config.mjs').pipConfig>} config
 */
export function places({ indexes, findLinks }, project) {
  const name = project.toLowerCase().replace(/[-_.]+/g, '-');
  const pages = indexes.map((index) => `${index.replace(/\/+$/, '')}/${name}/`);
  return [...findLinks, ...pages];
}

/**
 * All files that a place offers.
 * @param {string} place a URL, a folder or a file
 * @returns {Promise<Offer[]>}
 */
export async function offersAt(place, client) {
  const isUrl = /^[a-z][a-z+.-]*:\/\//i.test(place) && !/^file:/i.test(place);
  if (!isUrl) return onDisk(/^file:/i.test(place) ? fileURLToPath(place) : place);
  if (/\.whl(#|$)/.test(place)) return [offer(place, place)];
  const { url, type, text } = await client.text(place, ACCEPT);
  return type.startsWith(JSON_TYPE) ? fromJson(text, url) : fromHtml(text, url);
}

function onDisk(path) {
  const folder = isAbsolute(path) ? path : resolve(path.replace(/^~(?=\/)/, process.env.HOME ?? '~'));
  const files = statSync(folder).isDirectory() ? readdirSync(folder).map((name) => join(folder, name)) : [folder];
  return files.map((file) => offer(pathToFileURL(file).href, ''));
}

/** PEP 691. */
function fromJson(text, base) {
  const { files } = JSON.parse(text);
  return files.map(({ url, filename, hashes }) => {
    return { url: new URL(url, base).href, filename, ...(hashes?.sha256 && { sha256: hashes.sha256.toLowerCase() }) };
  });
}

/** PEP 503, and any page that links to files. */
export function fromHtml(text, base) {
  const page = text.replace(/<!--[\s\S]*?-->/g, '');
  const hrefs = (tag) => [...page.matchAll(new RegExp(`<${tag}\\s(?:[^>"']|"[^"]*"|'[^']*')*>`, 'gi'))].flatMap(hrefOf);
  const from = new URL(hrefs('base')[0] ?? base, base).href;
  return hrefs('a').flatMap((href) => (URL.canParse(href, from) ? [offer(href, from)] : []));
}

function hrefOf([tag]) {
  const [, double, single, bare] = /\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i.exec(tag) ?? [];
  const text = double ?? single ?? bare;
  return text === undefined ? [] : [decodeEntities(text.trim())];
}

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeEntities(text) {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (all, hex, decimal, name) => {
    const code = hex ? Number.parseInt(hex, 16) : Number(decimal);
    return name ? (ENTITIES[name] ?? all) : code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

function offer(href, base) {
  const url = base ? new URL(href, base) : new URL(href);
  const sha256 = /(?:^|[#&])sha256=([0-9a-f]{64})/i.exec(url.hash)?.[1]?.toLowerCase();
  url.hash = '';
  const filename = decode(url.pathname.split('/').at(-1));
  return { url: url.href, filename, ...(sha256 && { sha256 }) };
}

/** Where a file is, as a message may say it. */
export const placeText = (place) => (/^https?:/i.test(place) ? shown(place) : place);
