import { nearest } from '../errors/nearest.js';
import type { Definition } from './definition.js';
import { refusePlugin } from './fault.js';

const definitions = new Map<string, Definition>();

const keyOf = (name: string, version: string): string => `${name}\0${version}`;

/** A module that is loaded again, as tools that watch files do, has the same place; a query tells its loads apart. */
function placeOf({ source }: Definition): string | undefined {
  return source && `${source.file.replace(/[?#].*$/, '')}:${source.line}:${source.column}`;
}

/**
 * Makes a definition known to networks.
 * @throws ERR_PLUGIN where another one has its name and version
 */
export function register(definition: Definition): void {
  const { name, version, source } = definition;
  const key = keyOf(name, version);
  const other = definitions.get(key);
  if (other && (placeOf(other) === undefined || placeOf(other) !== placeOf(definition))) {
    const where = other.source ? ` at ${other.source.file}:${other.source.line}` : '';
    refusePlugin(`plugin '${name}' version ${version} is defined already${where}: choose another name or version`, {
      actual: source,
    });
  }
  definitions.set(key, definition);
}

/** The definition of that name and version. */
export const findDefinition = (name: string, version: string): Definition | undefined =>
  definitions.get(keyOf(name, version));

/** What may help where a definition is missing. */
export function missingDefinition(name: string, version: string): string {
  const versions = [...definitions.values()].filter((one) => one.name === name).map((one) => one.version);
  const close = nearest(
    name,
    [...definitions.values()].map((one) => one.name),
  );
  const hint =
    versions.length > 0
      ? `; it is defined in version ${versions.join(' and ')}`
      : close.length > 0
        ? `; did you mean '${close.join("' or '")}'?`
        : '';
  return `plugin '${name}' version ${version} is not defined in this process: import the file that defines it first${hint}`;
}

/** The definition of that name and version. @throws ERR_PLUGIN */
export const definitionOf = (name: string, version: string): Definition =>
  findDefinition(name, version) ?? refusePlugin(missingDefinition(name, version));
