import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

function compile(path: string, source: string, ...flags: string[]): string {
  const all = ['-std=c++17', '-shared', '-fPIC', '-w', '-O0', ...flags, here(source), '-o', path, '-ldl'];
  const { status, stderr } = spawnSync('g++', all, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return path;
}

/** Stand-ins compiled against NVIDIA's order of methods, not against ours. */
export interface ForeignLibraries {
  /** A TensorRT with a registry of plugins, and NVIDIA's plugins beside it. */
  tensorrt: string;
  /** Exports getCreators. */
  plugins: string;
  /** Its creator registers itself when it is loaded. It is not linked with TensorRT, as many are not. */
  selfMade: string;
  /** A shared library without plugins. */
  empty: string;
}

/** Compiles them for a release of TensorRT; 11 has another registry and another IPluginV2Ext. */
export function foreignLibraries(folder: string, release: '10.6.0' | '11.1.0' = '10.6.0'): ForeignLibraries {
  mkdirSync(folder, { recursive: true });
  const [major, minor] = release.split('.').map(Number) as [number, number];
  const define = `-DRELEASE=${major * 10000 + minor * 100}`;
  compile(join(folder, `libnvinfer_plugin.so.${major}`), 'plugins.cc', define, '-DNVIDIA');
  return {
    tensorrt: compile(join(folder, `libnvinfer.so.${major}`), 'tensorrt.cc', define),
    plugins: compile(join(folder, 'libmy_plugins.so'), 'plugins.cc', define),
    selfMade: compile(join(folder, 'libself_made.so'), 'plugins.cc', define, '-DSTATIC'),
    empty: compile(join(folder, 'libempty.so'), 'plugins.cc', define, '-DEMPTY'),
  };
}
