/** What a plan says of itself in its first bytes. */
export interface PlanHeader {
  /** Whether TensorRT-RTX built it. */
  isRtx: boolean;
  /** Of the library that built it, e.g. `10.6.0`. */
  version: string;
}

export const planHeaderBytes = 28;
const [ftrt, tvrt] = [0x74727466, 0x74727476];

/**
 * Reads the release that built a plan, as `trtexec --getPlanVersionOnly` does (samples/common/sampleEngines.cpp of NVIDIA/TensorRT, release
 * 10.x): the tag `ftrt`, a serialization version of 0, and from byte 24 on major, minor and patch. TensorRT-RTX's plans were seen to begin with
 * `tvrt` and to be alike. Undefined for anything else.
 */
export function readPlanHeader(bytes: Uint8Array): PlanHeader | undefined {
  if (bytes.length < planHeaderBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const tag = view.getUint32(0, true);
  if ((tag !== ftrt && tag !== tvrt) || view.getUint32(4, true) !== 0) return undefined;
  const version = [24, 25, 26].map((at) => bytes[at]).join('.');
  return { isRtx: tag === tvrt, version };
}
