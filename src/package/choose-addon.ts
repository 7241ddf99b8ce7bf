/** What decides which addon is loaded. */
export interface AddonFacts {
  platform: string;
  arch: string;
  /** Version of this package. */
  version: string;
  /** Whether its folder is a clone, in which `npm run build` compiles. */
  isClone: boolean;
  /** Why the folder does not serve a bundle: it is of another version, or missing. */
  misfit?: { why: string; other?: string | undefined } | undefined;
  /** The addon that was compiled here, if there is one. */
  compiled: string | undefined;
  /** The addon of the platform's package, if that is installed. */
  packaged: { path: string; version: string | undefined } | undefined;
  /** Version of glibc; undefined where the C library is another one. It takes long to ask. */
  glibc(): string | undefined;
}

export interface AddonFault {
  code: 'ERR_ADDON_MISSING' | 'ERR_ADDON_VERSION' | 'ERR_PLATFORM';
  message: string;
  /** The command that helps; none on a platform without TensorRT. */
  fix?: string;
  /** Whether that command compiles. */
  compiles?: boolean;
}

const architectures = ['x64', 'arm64'];
const oldestGlibc = '2.28';

/** The package with the addon of a platform. */
export const platformPackage = (arch: string): string => `@node-tensorrt/linux-${arch}`;

/** The addon to load: the one that was compiled here, else that of the platform's package, of the same version. */
export function chooseAddon(facts: AddonFacts): { path: string } | AddonFault {
  const { compiled, packaged, misfit, version } = facts;
  if (compiled !== undefined) return { path: compiled };
  const platform = platformFault(facts);
  if (platform) return platform;
  if (misfit?.other !== undefined) {
    const fix = `npm install node-tensorrt@${version}`;
    return { code: 'ERR_ADDON_VERSION', message: `${misfit.why}; bundle it again, or run: ${fix}`, fix };
  }
  const name = platformPackage(facts.arch);
  if (packaged === undefined) return libcFault(facts) ?? missing(facts, name);
  if (packaged.version === version) return { path: packaged.path };
  const given = packaged.version === undefined ? 'has no version' : `is of version ${packaged.version}`;
  const fix = `npm install node-tensorrt@${version} ${name}@${version}`;
  const message = `${name} ${given}, node-tensorrt is of version ${version}: expected the same; run: ${fix}`;
  return { code: 'ERR_ADDON_VERSION', message, fix };
}

/** Says why an addon that was chosen does not load. */
export function addonDoesNotLoad(facts: AddonFacts, path: string, why: string): AddonFault {
  const libc = path === facts.compiled ? undefined : libcFault(facts);
  if (libc) return libc;
  const fix = compileLine(facts);
  const message = `The native addon could not be loaded from ${path}: ${why}; compile it with: ${fix}`;
  return { code: 'ERR_ADDON_MISSING', message, fix, compiles: true };
}

/** Says what is wrong with the file of the addon that was chosen. */
export function addonIsDamaged(facts: AddonFacts, path: string, damage: string): AddonFault {
  const isCompiled = path === facts.compiled;
  const again = `npm install ${platformPackage(facts.arch)}@${facts.version} --force`;
  const fix = isCompiled ? compileLine(facts) : again;
  const message = `The native addon ${path} is damaged: ${damage}; ${isCompiled ? 'compile it again' : 'install it again'} with: ${fix}`;
  return { code: 'ERR_ADDON_MISSING', message, fix, ...(isCompiled && { compiles: true }) };
}

/** Node was told to load no addons. */
export const addonsAreDisabled: AddonFault = {
  code: 'ERR_ADDON_MISSING',
  message:
    'The native addon may not be loaded: Node was started with --no-addons, or with --permission and without --allow-addons',
};

function missing(facts: AddonFacts, name: string): AddonFault {
  const { isClone, version, misfit } = facts;
  if (isClone) {
    const fix = compileLine(facts);
    const message = `The native addon is not compiled; compile it with: ${fix}`;
    return { code: 'ERR_ADDON_MISSING', message, fix, compiles: true };
  }
  if (misfit) {
    const fix = `npm install node-tensorrt@${version}`;
    return { code: 'ERR_ADDON_MISSING', message: `The native addon was not found: ${misfit.why}; run: ${fix}`, fix };
  }
  const fix = `npm install ${name}@${version}`;
  const causes =
    'a lock file that was made on another platform, or an installation that leaves out optional dependencies (--omit=optional, --no-optional)';
  const message = `The native addon is not installed: the package ${name} is missing. The usual cause is ${causes}. Run: ${fix}; or compile the addon: ${compileLine(facts)}`;
  return { code: 'ERR_ADDON_MISSING', message, fix };
}

const compileLine = ({ isClone }: AddonFacts): string =>
  isClone ? 'npm run build' : 'npx node-tensorrt install --from-source';

const names: Readonly<Record<string, string>> = {
  darwin: 'macOS',
  win32: 'Windows',
  freebsd: 'FreeBSD',
  android: 'Android',
};

const needs = (given: string): AddonFault => ({
  code: 'ERR_PLATFORM',
  message: `TensorRT needs Linux on ${architectures.join(' or ')} with glibc ${oldestGlibc} or newer, and this is ${given}`,
});

function platformFault({ platform, arch }: AddonFacts): AddonFault | undefined {
  if (platform === 'win32') return needs('Windows: WSL 2 has such a Linux');
  if (platform !== 'linux') return needs(`${names[platform] ?? platform} on ${arch}`);
  return architectures.includes(arch) ? undefined : needs(`Linux on ${arch}`);
}

function libcFault({ glibc }: AddonFacts): AddonFault | undefined {
  const version = glibc();
  if (version === undefined)
    return needs('Linux with another C library, such as musl on Alpine: use an image of Debian or Ubuntu');
  return isOlder(version, oldestGlibc) ? needs(`Linux with glibc ${version}`) : undefined;
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number);
  return major < thanMajor || (major === thanMajor && minor < thanMinor);
}
