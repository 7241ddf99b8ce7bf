import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findTensorRT } from '../src/index.js';

// The runtime against C++, Python and PyTorch on a GPU: bench/gpu/run.sh, whose steps can be run one by one.

if (!process.env.NODE_TENSORRT_BENCH_INCLUDE)
  console.log("  NODE_TENSORRT_BENCH_INCLUDE names no folder of TensorRT's headers: not run");
else if (!(await findTensorRT()).some(({ flavor, usableFor }) => flavor !== 'rtx1' && usableFor.run))
  console.log('  no GPU with a TensorRT that has its kernels: not run');
else {
  const script = fileURLToPath(new URL('gpu/run.sh', import.meta.url));
  process.exitCode = spawnSync(script, { stdio: 'inherit' }).status ?? 1;
}
