import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { readOr } from './files.mjs';

const PYPI = 'https://pypi.org/simple';

/**
 * What pip is configured to use, read as pip reads it for `pip install`: its files, then PIP_… variables. Runs no Python.
 * @returns {{ indexes: string[], findLinks: string[], trustedHosts: string[], timeout?: number, cert?: string,
 *   clientCert?: string, proxy?: string }}
 */
export function pipConfig(env = process.env, system = { etc: '/etc', prefix: '/usr' }) {
  const values = { ...fromFiles(env, system), ...fromVariables(env) };
  const list = (name) => (values[name] ?? '').split(/\s+/).filter(Boolean);
  const none = isTrue(values['no-index'] ?? '');
  return {
    indexes: none ? [] : [values['index-url'] ?? PYPI, ...list('extra-index-url')],
    findLinks: list('find-links'),
    trustedHosts: list('trusted-host'),
    timeout: Number.parseFloat(values.timeout ?? values['default-timeout'] ?? '') || undefined,
    cert: values.cert,
    clientCert: values['client-cert'],
    proxy: values.proxy,
  };
}

const isTrue = (text) => /^(y|yes|t|true|on|1)$/i.test(text);

function fromVariables(env) {
  const variables = Object.entries(env).filter(([name, value]) => name.startsWith('PIP_') && value);
  return Object.fromEntries(variables.map(([name, value]) => [optionName(name.slice(4)), value]));
}

/** A section for `pip install` counts more than `[global]`, whichever file has it. */
function fromFiles(env, system) {
  const sections = { global: {}, install: {} };
  for (const path of files(env, system))
    for (const [section, values] of Object.entries(parseConfig(readOr(path, ''))))
      if (Object.hasOwn(sections, section)) Object.assign(sections[section], values);
  return { ...sections.global, ...sections.install };
}

/** In the order in which later ones count more. */
function files(env, { etc, prefix }) {
  const named = env.PIP_CONFIG_FILE;
  if (named === '/dev/null') return [];
  const home = env.HOME || homedir();
  const site = env.VIRTUAL_ENV || env.CONDA_PREFIX || prefix;
  const user = [join(home, '.pip', 'pip.conf'), join(env.XDG_CONFIG_HOME || join(home, '.config'), 'pip', 'pip.conf')];
  return [
    ...(env.XDG_CONFIG_DIRS || join(etc, 'xdg')).split(':').map((dir) => join(dir, 'pip', 'pip.conf')),
    join(etc, 'pip.conf'),
    ...(named && existsSync(named) ? [] : user),
    join(site, 'pip.conf'),
    ...(named ? [named] : []),
  ].filter((path) => isAbsolute(path) || path === named);
}

const optionName = (text) => text.trim().toLowerCase().replaceAll('_', '-').replace(/^--/, '');

/**
 * Python's configparser: comments take whole lines, an indented line goes on with the value before it.
 * @returns {Record<string, Record<string, string>>} values by section and option
 */
export function parseConfig(text) {
  const sections = Object.create(null);
  let values;
  let option;
  let indent = 0;
  for (const line of text.split(/\r\n|[\r\n]/)) {
    const content = line.trim();
    if (!content || content.startsWith('#') || content.startsWith(';')) continue;
    const depth = line.search(/\S/);
    if (option !== undefined && depth > indent) {
      values[option] = `${values[option]}\n${content}`.trim();
      continue;
    }
    indent = depth;
    option = undefined;
    const section = /^\[(.+)\]/.exec(content)?.[1];
    if (section !== undefined) {
      sections[section] ??= Object.create(null);
      values = sections[section];
      continue;
    }
    const [, name, value] = /^(.*?)\s*[=:]\s*(.*)$/.exec(content) ?? [];
    if (values === undefined || name === undefined) continue;
    option = optionName(name);
    values[option] = value;
  }
  for (const section of Object.values(sections))
    for (const [name, value] of Object.entries(section)) if (!value) delete section[name];
  return sections;
}

/**
 * Login and password for a host in `~/.netrc`, or in the file that NETRC names; pip sends them, too.
 * @returns {{ login: string, password: string } | undefined}
 */
export function fromNetrc(host, env = process.env) {
  const home = env.HOME || homedir();
  const text = readOr(env.NETRC || join(home, '.netrc'), '').replace(/^\s*#.*$|^macdef (.|\n)*?(\n\n|(?!.|\n))/gm, '');
  const words = [...text.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)].map((m) => m[2] ?? m[1].replace(/\\(.)/g, '$1'));
  let entry;
  for (let i = 0; i < words.length; i++) {
    if (words[i] === 'machine' || words[i] === 'default') {
      if (entry) break;
      const matches = words[i] === 'default' || words[++i] === host;
      entry = matches ? { login: '', password: '' } : undefined;
    } else if (entry && ['login', 'user', 'password', 'account'].includes(words[i])) {
      const name = words[i] === 'user' ? 'login' : words[i];
      entry[name] = words[++i] ?? '';
    }
  }
  return entry && { login: entry.login, password: entry.password };
}
