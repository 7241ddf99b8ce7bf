// Mutants that no test here can kill, by id. An id that is no longer a mutant, or that a test kills, is an error.

/** Mutants without any visible effect, each with the reason. */
export const equivalent: Readonly<Record<string, string>> = {
  'cpu convolution drop kernel_shape of Conv': 'ONNX takes the kernel from the weight where the attribute is absent.',
  'cpu deconvolution drop kernel_shape of ConvTranspose':
    'ONNX takes the kernel from the weight where the attribute is absent.',
  "cpu reduce exchange inputs of Div g.op('Mul', [result, zero]), zero":
    'Dividend and divisor are both zero, and they broadcast to the same shape either way.',
  'native quantize axis axis': 'The mutant breaks only `axis >= 0`, and `axis ^ 1` has the sign of `axis`.',
  'native dequantize axis axis': 'The mutant breaks only `axis >= 0`, and `axis ^ 1` has the sign of `axis`.',
  'native options.cc enumerator ComputeCapability kNONE ↔ kCURRENT':
    'The name passed starts with kSM, so it is neither of the two.',
};

const scale = {
  runs: 'TensorRT, for scale layers that are not of rank 4 or 5 with channels on axis 1',
  checkedBy: 'test/gpu/layers.test.ts, kind scale, run on TensorRT 10.6 (docs/gpu-results.md)',
};

/** Mutants of code that only other releases run, each with what checks it there. */
export const elsewhere: Readonly<Record<string, { runs: string; checkedBy: string }>> = {
  'native scale exchange addElementWise x, coefficient': scale,
  'native scale enumerator ElementWiseOperation sum ↔ prod': scale,
  'native scale drop weights role': scale,
  'native scale axis channelAxis': scale,
  'native ragged_softmax dtype float16 as bfloat16': {
    runs: 'TensorRT 10, for float16',
    checkedBy: 'test/gpu/layers.test.ts, kind ragged_softmax, run on TensorRT 10.6 (docs/gpu-results.md)',
  },
  'native profiles.cc drop setShapeValues': {
    runs: 'TensorRT before 10.11, which lacks setShapeValuesV2',
    checkedBy: 'test/gpu/profiles.test.ts, run on TensorRT 10.6 (docs/gpu-results.md)',
  },
};
