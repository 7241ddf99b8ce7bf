import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addonPath } from '../addon.js';
import { TensorRTError } from '../errors/error.js';
import { reasonOf, writeFileWhole } from '../write-file.js';
import { type AnyPlugin, definitionOfPlugin } from './define.js';
import { refusePlugin } from './fault.js';
import { fieldTypes } from './recipe.js';

/** The library without definitions, compiled with the addon. @throws ERR_ADDON_MISSING */
export const emptyLibraryPath = (): string => join(dirname(addonPath()), 'libnode_tensorrt_plugins.so');

/** A creator that a library has. */
export interface LibraryCreator {
  name: string;
  version: string;
  attributes: { name: string; type: keyof typeof fieldTypes }[];
}

const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
};

const text = (value: string): Uint8Array[] => {
  const bytes = new TextEncoder().encode(value);
  return [u32(bytes.length), bytes];
};

const creatorBytes = ({ name, version, attributes }: LibraryCreator): Uint8Array[] => [
  ...text(name),
  ...text(version),
  u32(attributes.length),
  ...attributes.flatMap(({ name, type }) => [...text(name), Uint8Array.of(fieldTypes[type])]),
];

/** What is appended to a library of `offset` bytes; `native/plugin/library.cc` describes and reads it. */
export function libraryTail(creators: readonly LibraryCreator[], offset: number): Uint8Array {
  const trailer = new Uint8Array(24);
  trailer.set(new TextEncoder().encode('NTRPLUGS'));
  const view = new DataView(trailer.buffer);
  view.setUint32(8, 1, true);
  view.setUint32(12, creators.length, true);
  view.setBigUint64(16, BigInt(offset), true);
  return new Uint8Array(Buffer.concat([...creators.flatMap(creatorBytes), trailer]));
}

function creatorsOf(plugins: readonly AnyPlugin[]): LibraryCreator[] {
  const creators = new Map<string, LibraryCreator>();
  for (const plugin of new Set(plugins)) {
    const { name, version, attributes } = definitionOfPlugin(plugin);
    const key = `${name}\0${version}`;
    if (creators.has(key)) refusePlugin(`plugin '${name}' version ${version} is there twice`);
    creators.set(key, { name, version, attributes: [...attributes].map(([name, { type }]) => ({ name, type })) });
  }
  if (creators.size === 0) refusePlugin('a plugin library needs at least one plugin');
  return [...creators.values()];
}

/**
 * Writes a shared library with the creators of plugins. TensorRT in any program loads it and then runs engines that have these
 * plugins: Python, C++, `trtexec --dynamicPlugins`, Triton. Kernels are in the engine, so the library need not change with them.
 * @returns the creators, in order
 * @throws ERR_PLUGIN if there are none or two of one name and version; ERR_ADDON_MISSING; ERR_SAVE if the file cannot be written
 */
export async function writePluginLibrary(plugins: readonly AnyPlugin[], path: string): Promise<LibraryCreator[]> {
  const creators = creatorsOf(plugins);
  const empty = emptyLibraryPath();
  const library = await readFile(empty).catch((cause) => {
    const why = `${empty}, which is compiled with the addon, cannot be read: ${reasonOf(cause)}`;
    throw new TensorRTError('ERR_ADDON_MISSING', why, { cause });
  });
  try {
    await writeFileWhole(path, async (append) => {
      await append(library);
      await append(libraryTail(creators, library.length));
    });
  } catch (cause) {
    throw new TensorRTError('ERR_SAVE', `${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
  return creators;
}
