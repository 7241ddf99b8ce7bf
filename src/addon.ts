import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TensorRTError } from './errors/error.js';
import { addonDamage } from './machine/addon-file.js';
import {
  type AddonFacts,
  type AddonFault,
  addonDoesNotLoad,
  addonIsDamaged,
  addonsAreDisabled,
  chooseAddon,
  platformPackage,
} from './package/choose-addon.js';
import { installation, requireHere, resolveModule } from './package/place.js';
import { version } from './package/version.js';

const fileName = 'node_tensorrt.node';
const codes: readonly AddonFault['code'][] = ['ERR_ADDON_MISSING', 'ERR_ADDON_VERSION', 'ERR_PLATFORM'];

interface Chosen {
  facts: AddonFacts;
  path: string;
}

let known: Chosen | undefined;
let loaded: { shutdown(): void } | undefined;

/**
 * The compiled addon. Nothing else loads the .node file. `tensorrt/binding.ts` and `weights/binding.ts` each type the part
 * they use, so weights stay independent of TensorRT.
 * @throws ERR_ADDON_MISSING, ERR_ADDON_VERSION, ERR_PLATFORM
 */
export function addon<T>(): T {
  const fault = addonFault();
  if (fault) throw errorOf(fault);
  return loaded as T;
}

/** Loads the addon, or says why that cannot be. */
export function addonFault(): (AddonFault & { cause?: unknown }) | undefined {
  if (loaded) return undefined;
  const choice = chosen();
  if ('code' in choice) return choice;
  const { facts, path } = choice;
  const damage = addonDamage(path);
  if (damage !== undefined) return addonIsDamaged(facts, path, damage);
  try {
    loaded = requireHere(path) as { shutdown(): void };
    process.on('exit', () => loaded?.shutdown());
    return undefined;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_DLOPEN_DISABLED') return { ...addonsAreDisabled, cause };
    return { ...addonDoesNotLoad(facts, path, (cause as Error).message.split('\n', 1)[0]!), cause };
  }
}

/** Path of the addon that is or would be loaded; what was compiled with it lies beside it. @throws as `addon` does */
export function addonPath(): string {
  const choice = chosen();
  if ('code' in choice) throw errorOf(choice);
  return choice.path;
}

/** Whether an error says that there is no addon to load. */
export const isAddonError = (error: unknown): error is TensorRTError =>
  error instanceof TensorRTError && (codes as readonly string[]).includes(error.code);

/** Not remembered where there is none: it may be installed while this process runs. */
function chosen(): Chosen | AddonFault {
  if (known) return known;
  const facts = factsHere();
  const choice = chooseAddon(facts);
  if ('code' in choice) return choice;
  known = { facts, path: choice.path };
  return known;
}

const errorOf = ({ code, message, cause }: AddonFault & { cause?: unknown }): TensorRTError =>
  new TensorRTError(code, message, { cause });

function factsHere(): AddonFacts {
  const found = installation();
  const folder = 'folder' in found ? found.folder : undefined;
  const compiled = folder === undefined ? undefined : join(folder, 'build', 'Release', fileName);
  return {
    platform: process.platform,
    arch: process.arch,
    version,
    // What `npm run build` runs; it is not in the package. `native/` may be there too, by install --from-source.
    isClone: folder !== undefined && existsSync(join(folder, 'scripts', 'setup.mjs')),
    misfit: 'why' in found ? found : undefined,
    compiled: compiled !== undefined && existsSync(compiled) ? compiled : undefined,
    packaged: packaged(),
    glibc,
  };
}

function packaged(): AddonFacts['packaged'] {
  let manifest: string;
  try {
    manifest = resolveModule(`${platformPackage(process.arch)}/package.json`);
  } catch (error) {
    // Node reads the manifest, too. One that is damaged is there, but of no version.
    const { code, path } = error as NodeJS.ErrnoException;
    return code === 'ERR_INVALID_PACKAGE_CONFIG' && path
      ? { path: join(dirname(path), fileName), version: undefined }
      : undefined;
  }
  return { path: join(dirname(manifest), fileName), version: versionIn(manifest) };
}

function versionIn(manifest: string): string | undefined {
  try {
    return JSON.parse(readFileSync(manifest, 'utf8'))?.version;
  } catch {
    return undefined;
  }
}

/** What Node has from 20.13 on. */
interface Report {
  excludeNetwork?: boolean;
  getReport(): { header: { glibcVersionRuntime?: string } };
}

/** As detect-libc asks. That one is CommonJS that requires built-in modules, which a bundle as an ES module could not do. */
function glibc(): string | undefined {
  const report = process.report as unknown as Report;
  const before = report.excludeNetwork;
  // Else the names of all network addresses are looked up.
  report.excludeNetwork = true;
  try {
    return report.getReport().header.glibcVersionRuntime;
  } finally {
    report.excludeNetwork = before;
  }
}
