/** What a plan says of itself in its first bytes. */
export interface PlanHeader {
  /** Whether TensorRT-RTX built it. */
  isRtx: boolean;
  /** Of the library that built it, e.g. `10.6.0`. */
  version: string;
}

export const planHeaderBytes = 28;
const [ftrt, vtrt] = [0x74727466, 0x74727476];

/**
 * Reads the release that built a plan, as `trtexec --getPlanVersionOnly` does (samples/common/sampleEngines.cpp of NVIDIA/TensorRT, release
 * 10.x): the tag `ftrt`, a serialization version of 0, and from byte 24 on major, minor and patch. TensorRT-RTX's plans were seen to begin with
 * `vtrt` and to be alike. Undefined for anything else.
 */
export function readPlanHeader(bytes: Uint8Array): PlanHeader | undefined {
  if (bytes.length < planHeaderBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const tag = view.getUint32(0, true);
  if ((tag !== ftrt && tag !== vtrt) || view.getUint32(4, true) !== 0) return undefined;
  const version = [24, 25, 26].map((at) => bytes[at]).join('.');
  return { isRtx: tag === vtrt, version };
}

/**
 * Whether a file that begins so may be a plan. All are known to begin with a letter and `trt`: `ftrt` since TensorRT 8.6, `vtrt` of
 * TensorRT-RTX. Which letters there are is TensorRT's to say.
 */
export const mayBePlan = (head: Uint8Array): boolean => Buffer.from(head.subarray(1, 4)).toString('latin1') === 'trt';
