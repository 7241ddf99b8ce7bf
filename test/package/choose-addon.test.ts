import { describe, expect, test } from 'vitest';
import {
  type AddonFacts,
  type AddonFault,
  addonDoesNotLoad,
  addonIsDamaged,
  chooseAddon,
} from '../../src/package/choose-addon.js';

/** A project that has node-tensorrt 1.2.3 and the package of its platform. */
const facts = (changes: Partial<AddonFacts> = {}): AddonFacts => ({
  platform: 'linux',
  arch: 'x64',
  version: '1.2.3',
  isClone: false,
  compiled: undefined,
  packaged: { path: '/app/node_modules/@node-tensorrt/linux-x64/node_tensorrt.node', version: '1.2.3' },
  glibc: () => '2.36',
  ...changes,
});
const unasked = () => {
  throw new Error('asking for glibc takes long');
};
const fault = (changes: Partial<AddonFacts>): AddonFault => {
  const choice = chooseAddon(facts(changes));
  if ('path' in choice) throw new Error(`chose ${choice.path}`);
  return choice;
};

describe('chooses', () => {
  test('the addon of the platform package', () => {
    const path = '/app/node_modules/@node-tensorrt/linux-x64/node_tensorrt.node';
    expect(chooseAddon(facts({ glibc: unasked }))).toEqual({ path });
  });

  test('what was compiled here before all else, wherever here is', () => {
    const compiled = '/app/node_modules/node-tensorrt/build/Release/node_tensorrt.node';
    for (const platform of ['linux', 'freebsd'])
      for (const packaged of [undefined, { path: '/other', version: '0.0.1' }, facts().packaged])
        expect(chooseAddon(facts({ platform, compiled, packaged, glibc: unasked }))).toEqual({ path: compiled });
  });

  test('the package that stands beside a bundle without node-tensorrt', () => {
    const misfit = { why: '/app/main.js contains node-tensorrt 1.2.3' };
    expect(chooseAddon(facts({ misfit }))).toEqual({ path: facts().packaged!.path });
  });
});

describe('without the package of the platform', () => {
  test.each(['x64', 'arm64'])('%s: names it, the line that installs it, and the usual causes', (arch) => {
    const { code, message, fix, compiles } = fault({ arch, packaged: undefined });
    expect([code, fix, compiles]).toEqual([
      'ERR_ADDON_MISSING',
      `npm install @node-tensorrt/linux-${arch}@1.2.3`,
      undefined,
    ]);
    for (const part of [
      `the package @node-tensorrt/linux-${arch} is missing`,
      `Run: ${fix};`,
      'a lock file that was made on another platform',
      '--omit=optional',
      '--no-optional',
      'npx node-tensorrt install --from-source',
    ])
      expect(message).toContain(part);
  });

  test('a clone compiles it', () => {
    const { code, fix, compiles, message } = fault({ isClone: true, packaged: undefined });
    expect([code, fix, compiles]).toEqual(['ERR_ADDON_MISSING', 'npm run build', true]);
    expect(message).toContain('npm run build');
  });

  test('a bundle without node-tensorrt says that it needs it', () => {
    const misfit = { why: '/app/main.js contains node-tensorrt 1.2.3' };
    const { code, message, fix } = fault({ packaged: undefined, misfit });
    expect([code, fix]).toEqual(['ERR_ADDON_MISSING', 'npm install node-tensorrt@1.2.3']);
    expect(message).toContain(misfit.why);
  });
});

describe('of another version', () => {
  test('the package names both, and the line that makes them one', () => {
    const { code, message, fix } = fault({ packaged: { path: '/x', version: '1.2.2' } });
    expect([code, fix]).toEqual([
      'ERR_ADDON_VERSION',
      'npm install node-tensorrt@1.2.3 @node-tensorrt/linux-x64@1.2.3',
    ]);
    expect(message).toContain('@node-tensorrt/linux-x64 is of version 1.2.2, node-tensorrt is of version 1.2.3');
    expect(message).toContain(fix);
  });

  test('node-tensorrt itself, beside a bundle', () => {
    const misfit = {
      why: '/app/main.js contains node-tensorrt 1.2.3, but /app/node_modules/node-tensorrt is 1.2.4',
      other: '1.2.4',
    };
    const { code, message } = fault({ misfit });
    expect(code).toBe('ERR_ADDON_VERSION');
    expect(message).toContain(misfit.why);
  });
});

describe('where TensorRT does not run', () => {
  const needs = /^TensorRT needs Linux on x64 or arm64 with glibc 2\.28 or newer, and this is /;
  const none = { packaged: undefined };
  test.each<[string, Partial<AddonFacts>, string]>([
    ['macOS', { platform: 'darwin', arch: 'arm64', glibc: unasked }, 'macOS on arm64'],
    ['Windows', { platform: 'win32', glibc: unasked }, 'Windows: WSL 2 has such a Linux'],
    ['FreeBSD', { platform: 'freebsd', glibc: unasked }, 'FreeBSD on x64'],
    ['one with no name', { platform: 'aix', arch: 'ppc64', glibc: unasked }, 'aix on ppc64'],
    ['another processor', { arch: 'riscv64', glibc: unasked }, 'Linux on riscv64'],
    ['32-bit ARM', { arch: 'arm', glibc: unasked }, 'Linux on arm'],
    ['musl', { ...none, glibc: () => undefined }, 'Linux with another C library, such as musl on Alpine'],
    ['glibc 2.27', { ...none, glibc: () => '2.27' }, 'Linux with glibc 2.27'],
    ['glibc 2.9', { ...none, glibc: () => '2.9' }, 'Linux with glibc 2.9'],
    ['glibc 1.99', { ...none, glibc: () => '1.99' }, 'Linux with glibc 1.99'],
  ])('%s: one sentence, without a command', (_, changes, given) => {
    const { code, message, fix } = fault(changes);
    expect([code, fix]).toEqual(['ERR_PLATFORM', undefined]);
    expect(message).toMatch(needs);
    expect(message.split(needs)[1]).toContain(given);
    expect(message).not.toContain('\n');
  });

  test.each(['2.28', '2.100', '3.0'])('glibc %s is new enough', (version) => {
    expect(fault({ ...none, glibc: () => version }).code).toBe('ERR_ADDON_MISSING');
  });
});

describe('an addon that does not load', () => {
  const { path } = facts().packaged!;

  test('has the loader’s reason', () => {
    const { code, message, fix, compiles } = addonDoesNotLoad(facts(), path, 'invalid ELF header');
    expect([code, fix, compiles]).toEqual(['ERR_ADDON_MISSING', 'npx node-tensorrt install --from-source', true]);
    expect(message).toContain(`${path}: invalid ELF header`);
  });

  test('on musl, where package managers that know no libc install it: the sentence, not the loader’s words', () => {
    const { code, message } = addonDoesNotLoad(facts({ glibc: () => undefined }), path, 'Error relocating');
    expect(code).toBe('ERR_PLATFORM');
    expect(message).not.toContain('relocating');
  });

  test('with an old glibc', () => {
    const error = addonDoesNotLoad(facts({ glibc: () => '2.17' }), path, "version `GLIBC_2.28' not found");
    expect(error.code).toBe('ERR_PLATFORM');
  });

  test('but was compiled here: the loader’s reason, on musl too', () => {
    const compiled = '/app/node_modules/node-tensorrt/build/Release/node_tensorrt.node';
    expect(addonDoesNotLoad(facts({ compiled, glibc: () => undefined }), compiled, 'no such symbol').message).toContain(
      'no such symbol',
    );
  });
});

test('a damaged file is installed or compiled again, never loaded', () => {
  const compiled = '/app/node_modules/node-tensorrt/build/Release/node_tensorrt.node';
  expect(addonIsDamaged(facts(), facts().packaged!.path, 'it is no file')).toEqual({
    code: 'ERR_ADDON_MISSING',
    message: `The native addon ${facts().packaged!.path} is damaged: it is no file; install it again with: npm install @node-tensorrt/linux-x64@1.2.3 --force`,
    fix: 'npm install @node-tensorrt/linux-x64@1.2.3 --force',
  });
  expect(addonIsDamaged(facts({ compiled }), compiled, 'it is no file')).toMatchObject({
    fix: 'npx node-tensorrt install --from-source',
    compiles: true,
  });
});

test('a package without a version is of another one', () => {
  const packaged = { path: '/other', version: undefined };
  expect(fault({ packaged })).toMatchObject({
    code: 'ERR_ADDON_VERSION',
    message: expect.stringContaining('@node-tensorrt/linux-x64 has no version, node-tensorrt is of version 1.2.3'),
  });
});
