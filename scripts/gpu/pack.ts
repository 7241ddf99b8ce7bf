// npm run gpu:pack: writes .gpu/run/run.tar.xz, which scripts/gpu/run.sh needs with a copy of the tree on a machine without network, compiler
// and Node packages: the addon, dist/, the packages that the GPU tier imports, the stand-in for TensorRT 11's kernels, and the commit.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { checkedOutCommit, codeOf, type PackedCommit, packedCommitFile, root } from './results.js';

const folder = join(root, '.gpu', 'run');
const archive = join(folder, 'run.tar.xz');
const stage = join(folder, 'stage');

/** Packages that `test/gpu` and the examples import, including tools. */
const wanted = [
  'vitest',
  'tsx',
  'zod',
  'fflate',
  'yauzl',
  'picocolors',
  'commander',
  'cli-progress',
  'cli-table3',
  'mnist',
  'safetensors',
  'onnxruntime-node',
];
/** The only parts needed of these packages. */
const parts: Record<string, string[]> = {
  mnist: ['package.json', 'src'],
  'onnxruntime-node': ['package.json', 'dist', 'bin/napi-v6/linux/x64'],
};

interface PackageJson {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** Folders in node_modules of a package and its dependencies. */
function closure(names: readonly string[]): Set<string> {
  const folders = new Set<string>();
  const add = (name: string, from: string): void => {
    // Node's search: next to the importing package, then further up.
    for (let place = from; ; place = join(place, '..')) {
      const path = join(place, 'node_modules', name);
      if (existsSync(path)) {
        if (folders.has(path)) return;
        folders.add(path);
        const json = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as PackageJson;
        for (const one of Object.keys({ ...json.dependencies, ...json.optionalDependencies })) add(one, path);
        return;
      }
      // Optional packages for other systems are not installed.
      if (relative(root, place) === '') return;
    }
  };
  for (const name of names) {
    if (!existsSync(join(root, 'node_modules', name))) throw new Error(`${name} is not installed`);
    add(name, root);
  }
  return folders;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(stage, 'build', 'Release'), { recursive: true });
for (const path of closure(wanted)) {
  const name = relative(join(root, 'node_modules'), path);
  for (const part of parts[name] ?? ['.']) {
    const filter = (source: string) =>
      !/\.(map|d\.[cm]?ts|md)$/.test(source) && !relative(path, source).startsWith('node_modules');
    cpSync(join(path, part), join(stage, 'node_modules', name, part), { recursive: true, filter });
  }
}
// Recreates npm's links.
mkdirSync(join(stage, 'node_modules', '.bin'));
for (const name of ['vitest', 'tsx']) {
  const link = join('node_modules', '.bin', name);
  symlinkSync(readlinkSync(join(root, link)), join(stage, link));
}
cpSync(join(root, 'dist'), join(stage, 'dist'), {
  recursive: true,
  filter: (path) => !/\.(map|tsbuildinfo)$/.test(path),
});
const addon = 'build/Release/node_tensorrt.node';
cpSync(join(root, addon), join(stage, addon));
// What `plugins library` copies.
const library = 'build/Release/libnode_tensorrt_plugins.so';
cpSync(join(root, library), join(stage, library));
const stub = join(root, 'test', 'gpu', 'no-kernels.c');
execFileSync('cc', ['-shared', '-fPIC', '-o', join(stage, 'build', 'no-kernels.so'), stub]);
const packed: PackedCommit = { ...(checkedOutCommit() ?? { commit: 'unknown', dirty: true }), code: codeOf([]) };
writeFileSync(join(stage, relative(root, packedCommitFile)), JSON.stringify(packed));
execFileSync('tar', ['-C', stage, '-I', 'xz -T0 -4', '-cf', archive, '.'], { stdio: 'inherit' });
rmSync(stage, { recursive: true });
console.log(
  `${relative('.', archive)}: ${(statSync(archive).size / 2 ** 20).toFixed(1)} MiB, commit ${packed.commit}${packed.dirty ? ', changed' : ''}`,
);
