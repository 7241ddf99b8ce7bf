import { statSync } from 'node:fs';
import { join } from 'node:path';
import { isWhole, unpackInto } from './fetch.mjs';
import { withLock } from './lock.mjs';
import { SetupError } from './process.mjs';
import { cacheDir } from './tensorrt.mjs';

const manylinux2010 = 'py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl';
const manylinux2014 = 'py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl';
/** What kernels include. The rest of the wheel is the CUDA runtime, which nothing here uses. */
const headers = /\/include\/|\.dist-info\//;

/** The NVRTC to fetch, by the CUDA it is of, with the headers of the same. A driver loads what those up to its own major version made. */
export const NVRTC = {
  12.9: {
    library: 'nvidia/cuda_nvrtc/lib/libnvrtc.so.12',
    builtins: 'nvidia/cuda_nvrtc/lib/libnvrtc-builtins.so.12.9',
    header: 'nvidia/cuda_runtime/include/cuda_fp16.h',
    wheels: [
      {
        distribution: 'nvidia-cuda-nvrtc-cu12',
        version: '12.9.86',
        wheel: `nvidia_cuda_nvrtc_cu12-12.9.86-${manylinux2010}`,
        size: 89_568_129,
        sha256: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
        // Not libnvrtc.alt.so: 100 MB more, which libnvrtc.so does not load.
        keep: /lib\/libnvrtc(-builtins)?\.so|\.dist-info\//,
      },
      {
        distribution: 'nvidia-cuda-runtime-cu12',
        version: '12.9.79',
        wheel: `nvidia_cuda_runtime_cu12-12.9.79-${manylinux2014}`,
        size: 3_493_179,
        sha256: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
        keep: headers,
      },
    ],
  },
  '13.0': {
    library: 'nvidia/cu13/lib/libnvrtc.so.13',
    builtins: 'nvidia/cu13/lib/libnvrtc-builtins.so.13.0',
    header: 'nvidia/cu13/include/cuda_fp16.h',
    wheels: [
      {
        distribution: 'nvidia-cuda-nvrtc',
        version: '13.0.88',
        wheel: `nvidia_cuda_nvrtc-13.0.88-${manylinux2010}`,
        size: 90_215_200,
        sha256: 'ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575',
        keep: /lib\/libnvrtc(-builtins)?\.so|\.dist-info\//,
      },
      {
        distribution: 'nvidia-cuda-runtime',
        version: '13.0.96',
        wheel: `nvidia_cuda_runtime-13.0.96-${manylinux2014}`,
        size: 2_243_632,
        sha256: '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
        keep: headers,
      },
    ],
  },
};

/** The newest that a driver of this CUDA version loads kernels of; without a driver the one that most drivers do. */
export const nvrtcFor = (driver) => (driver && Number.parseInt(driver, 10) >= 13 ? '13.0' : '12.9');

const folderOf = (cuda, env) => join(cacheDir(env), `cuda-${cuda}`);

/** Path of the fetched library, or null if it is missing, incomplete or damaged. */
export function cachedNvrtc(cuda, env = process.env) {
  const dir = folderOf(cuda, env);
  const path = join(dir, NVRTC[cuda].library);
  return isWhole(dir) && statSync(path, { throwIfNoEntry: false }) ? path : null;
}

const HINT =
  'To use an NVRTC you have, set NODE_TENSORRT_NVRTC=FILE or CUDA_HOME=DIR.\n' +
  'NODE_TENSORRT_CACHE=DIR names another folder to keep it in.';

/**
 * Fetches NVRTC and the headers of CUDA's that kernels include, as `fetchTensorRT` does; returns the library's path.
 * @param {{ cuda: keyof typeof NVRTC, env?: NodeJS.ProcessEnv, force?: boolean, pin?: typeof NVRTC['13.0'] }} options
 */
export async function fetchNvrtc({ cuda, env = process.env, force = false, onWait, pin = NVRTC[cuda] }) {
  const dir = folderOf(cuda, env);
  const work = async () => {
    const cached = force ? null : cachedNvrtc(cuda, env);
    if (cached) return cached;
    const files = [pin.library, pin.builtins, pin.header];
    const facts = { cuda, wheels: pin.wheels.map(({ wheel, sha256 }) => ({ wheel, sha256 })) };
    await unpackInto(dir, pin.wheels, { env, files, facts });
    return join(dir, pin.library);
  };
  try {
    return await withLock(`${dir}.lock`, work, { onWait });
  } catch (error) {
    throw new SetupError(`could not fetch NVRTC of CUDA ${cuda}: ${error.message}\n${HINT}`, { cause: error });
  }
}
