// Mutants that no test here can kill, by id. An id that is no longer a mutant, or that a test kills, is an error.

/** Mutants without any visible effect, each with the reason. */
export const equivalent: Readonly<Record<string, string>> = {
  'cpu convolution drop kernel_shape of Conv': 'ONNX takes the kernel from the weight where the attribute is absent.',
  'cpu deconvolution drop kernel_shape of ConvTranspose':
    'ONNX takes the kernel from the weight where the attribute is absent.',
};

/** Mutants of code that only other releases run, each with what checks it there. */
export const elsewhere: Readonly<Record<string, { runs: string; checkedBy: string }>> = {};
