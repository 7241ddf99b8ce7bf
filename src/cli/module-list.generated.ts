// Written by `npm run docs:layers` from the JSDoc of src/modules; a test compares. Not to be edited.

/** A method made of layers, as `node-tensorrt layers --modules --json` prints it. */
export interface ModuleSummary {
  /** Of tensors and networks; with parentheses, a function of the package. */
  method: string;
  /** What its JSDoc says about it. */
  about: string;
  /** Layer kinds it is made of, those that its JSDoc names. */
  kinds: readonly string[];
}

/** Every method of src/modules, by name. */
export const moduleList: readonly ModuleSummary[] = [
  {"method":"adaptiveAvgPool2d","about":"Averages a [batch, channels, height, width] tensor of floats to `outputSize` (default 1), like PyTorch's adaptive pool: element i is the mean of positions ⌊i·size / out⌋ to ⌈(i + 1)·size / out⌉ − 1.","kinds":["reduce","pooling","matrix_multiply"]},
  {"method":"adaptiveMaxPool1d","about":"Largest elements of windows of a [batch, channels, length] tensor (or without a batch) that divide it into `outputSize` (default 1), like PyTorch's adaptive_max_pool1d: element i is the maximum of positions ⌊i·size / out⌋ to ⌈(i + 1)·size / out⌉ − 1.","kinds":["pooling","reduce","gather","fill","element_wise"]},
  {"method":"adaptiveMaxPool2d","about":"Same as `adaptiveMaxPool1d`, of [batch, channels, height, width].","kinds":["pooling","reduce","gather"]},
  {"method":"adaptiveMaxPool3d","about":"Same as `adaptiveMaxPool1d`, of [batch, channels, depth, height, width].","kinds":["pooling","reduce","gather"]},
  {"method":"all","about":"Whether all elements along `axes` (default all) are true, of bools or of numbers, where anything but 0 is true. True if there are no elements.","kinds":["unary","cast","reduce","element_wise"]},
  {"method":"any","about":"Whether any element along `axes` (default all) is true, of bools or of numbers, where anything but 0 is true. False if there are no elements.","kinds":["cast","reduce","element_wise"]},
  {"method":"atan2","about":"The angle of the point (other, this) in radians, from −π to π, like PyTorch's atan2: of floats, computed in float32; integers become float32. Zeros and infinities have the angles of C's atan2.","kinds":["unary","element_wise","select","cast"]},
  {"method":"batchNorm","about":"Batch normalization at inference, `(x − mean) / √(variance + eps) · weight + bias` per channel (axis 1) of a tensor of floats of rank 2 or more. It is folded in float64 to one scale and one shift, from the elements of the weight file, also where `as` has rounded them; scale and shift are rounded to the input's dtype.","kinds":["scale"]},
  {"method":"celu","about":"`x > 0 ? x : alpha·(exp(x / alpha) − 1)`, of floats (Barron, 2017); alpha 1 by default.","kinds":["element_wise","activation","select"]},
  {"method":"cosineSimilarity","about":"Cosine of the angle between the vectors of two tensors along `axis`, like PyTorch's cosine_similarity: `Σ a / max(|a|, eps) · b / max(|b|, eps)`, of floats, computed in float32. Operands broadcast. `axis` is 1 and `eps` 1e-8 by default.","kinds":["reduce","element_wise","unary"]},
  {"method":"cumprod","about":"Running products along an axis (default −1), like PyTorch's cumprod, of floats (in float32) and of int32 and int64, which keep their dtype.","kinds":["loop"]},
  {"method":"expandAs","about":"Repeats axes of size 1 until the shape is that of `other`, like PyTorch's expand_as; see `expand`.","kinds":["slice"]},
  {"method":"floorDiv","about":"`⌊a / b⌋`, like PyTorch's floor_divide and Python's `//`: of the exact quotient, so that 0.7 by 0.1 gives 6.","kinds":["element_wise"]},
  {"method":"fmod","about":"`a − b·trunc(a / b)`, exactly: the remainder has the sign of `a`, like `torch.fmod`, C's fmod and the `%` of C and JavaScript. Of floats and integers.","kinds":["element_wise","unary","cast","gather","select"]},
  {"method":"fold","about":"Adds columns of windows to an image, like PyTorch's Fold (col2im): [batch, channels·kernel height·kernel width, windows] → [batch, channels, height, width], also without a batch. Elements where windows overlap are their sum. Of floats, int32, int64, int8.","kinds":["shuffle","slice","reduce"]},
  {"method":"fullLike","about":"A tensor filled with one value, in the shape and dtype of this tensor.","kinds":["constant","slice"]},
  {"method":"globalAvgPool","about":"Mean over all axes after the second, which stay with size 1 unless `keepDims` is false; of floats of rank 3 or more.","kinds":["reduce"]},
  {"method":"glu","about":"Gated linear unit: the first half along `axis` (default −1) times the sigmoid of the second, of floats (Dauphin et al., 2016).","kinds":["slice","activation","element_wise"]},
  {"method":"gru","about":"Gated recurrent units over a sequence of floats, like torch.nn.GRU; see `lstm`. r, z = σ(…), n = tanh(Wn·x + bn + r·(Rn·hidden + cn)), or with `resetAfter` false tanh(Wn·x + bn + Rn·(r·hidden)); hidden' = (1 − z)·n + z·hidden.","kinds":["loop","matrix_multiply"]},
  {"method":"hardSwish","about":"`x · min(max(x + 3, 0), 6) / 6`, of floats (Howard et al., 2019).","kinds":["activation","element_wise"]},
  {"method":"hardtanh","about":"`min(max(x, minVal), maxVal)`, of floats; −1 and 1 by default.","kinds":["activation"]},
  {"method":"imageInput()","about":"Adds the uint8 input `name` [batch, height, width, channels] to a network: images as decoders of files give them. The result is [batch, channels, height, width] with `(x / 255 − mean) / std` of each channel, as torchvision's ToTensor and Normalize compute it. It is computed in float32, then cast to `dtype`.","kinds":["cast","shuffle","scale"]},
  {"method":"isfinite","about":"Whether a float is neither infinite nor NaN; the result is bool.","kinds":["unary","element_wise"]},
  {"method":"lerp","about":"`a + weight·(end − a)`, like PyTorch's lerp, of floats, computed in float32. From a weight of 0.5 on it starts at the end, so that a weight of 1 gives exactly that.","kinds":["element_wise","select"]},
  {"method":"linear","about":"`x · weightᵀ + bias` over the last axis of a tensor of floats; the axes before it stay. With `useFp32Acc`, products of float16 are summed in float32, as PyTorch does.","kinds":["constant","matrix_multiply","element_wise"]},
  {"method":"log1p","about":"`log(1 + x)` without its loss of precision near 0, of floats: `log(u) · (x / (u − 1))` for u = 1 + x (Kahan; Higham, Accuracy and Stability of Numerical Algorithms, 1.14.1).","kinds":["element_wise","unary","select"]},
  {"method":"log2","about":"Logarithm to the base 2, of floats.","kinds":["unary","element_wise"]},
  {"method":"logSigmoid","about":"`log(sigmoid(x))` without its underflow, of floats, computed in float32: `min(x, 0) − log1p(exp(−|x|))`.","kinds":["unary","element_wise","select"]},
  {"method":"logSoftmax","about":"`x − max − log Σ exp(x − max)` along `axis` (default −1), of floats: the logarithm of `softmax` without its underflow.","kinds":["reduce","unary","element_wise"]},
  {"method":"logSumExp","about":"`log Σ eˣ` over `axes` (default all) without overflow, of floats, computed in float32.","kinds":["reduce","unary","element_wise","select","squeeze"]},
  {"method":"lstm","about":"Long short-term memory over a sequence of floats, like torch.nn.LSTM: several layers, both directions, projections. `x.lstm(w.layer('lstm'))` takes the layers and directions from the names of the weights. A single layer in one direction may have TensorFlow's or Keras's layout: `kernel`, `recurrentKernel`, `bias`. Each layer and direction is one TensorRT loop; one matrix multiplication computes the inputs' part of the gates for the whole sequence ahead of it. i, f, o = σ(…), g = tanh(…), cell' = f·cell + i·g, hidden' = o·tanh(cell').","kinds":["loop","matrix_multiply"]},
  {"method":"meshgrid","about":"Coordinates of a grid from this and other vectors, like PyTorch's meshgrid: tensor i holds vector i along axis i and is constant along all others.","kinds":["shuffle","slice"]},
  {"method":"mish","about":"`x · tanh(log(1 + eˣ))`, of floats (Misra, 2019).","kinds":["activation","element_wise"]},
  {"method":"mod","about":"Same as `remainder`.","kinds":["element_wise","unary","cast","gather","select"]},
  {"method":"movedim","about":"Moves axes to other places; the others keep their order, like PyTorch's movedim and NumPy's moveaxis.","kinds":["shuffle"]},
  {"method":"norm","about":"`(Σ |x|ᵖ)^(1/p)` over `axes` (default all), of floats, computed in float32.","kinds":["reduce","element_wise","unary"]},
  {"method":"normalize","about":"`x / max(norm, eps)` along `axis` (default 1), like PyTorch's normalize, with the p-norm. `p` is 2 and `eps` 1e-12 by default.","kinds":["reduce","element_wise","unary"]},
  {"method":"onesLike","about":"Ones in the shape and dtype of this tensor.","kinds":["constant","slice"]},
  {"method":"pixelShuffle","about":"[..., c·factor², h, w] → [..., c, h·factor, w·factor], like PyTorch's pixel_shuffle (Shi et al., 2016).","kinds":["shuffle"]},
  {"method":"pixelUnshuffle","about":"[..., c, h·factor, w·factor] → [..., c·factor², h, w], like PyTorch's pixel_unshuffle.","kinds":["shuffle"]},
  {"method":"relu6","about":"`min(max(x, 0), 6)`, of floats.","kinds":["activation"]},
  {"method":"remainder","about":"`a − b·⌊a / b⌋`, exactly: the remainder has the sign of `b`, like `torch.remainder` and Python's `%`. Of floats and integers.","kinds":["element_wise","unary","cast","gather","select"]},
  {"method":"repeat","about":"Repeats the whole tensor the given number of times along each axis, like PyTorch's repeat. More repeats than axes add axes in front.","kinds":["slice"]},
  {"method":"repeatInterleave","about":"Repeats each element of an axis: [a, b] twice is [a, a, b, b], like PyTorch's repeat_interleave. Without `axis`, all elements are treated as one row.","kinds":["unsqueeze","slice","shuffle","gather","cumulative","fill","element_wise","reduce"]},
  {"method":"rmsNorm","about":"`x / √(mean(x²) + eps) · weight` over the last dims, of floats; squares are computed in float32 (Zhang and Sennrich, 2019).","kinds":["element_wise","reduce","unary","cast"]},
  {"method":"rnn","about":"A plain recurrent network over a sequence of floats, like torch.nn.RNN; see `lstm`. hidden' = tanh(W·x + b + R·hidden + c).","kinds":["loop","matrix_multiply"]},
  {"method":"roll","about":"Moves elements along axes by `shifts`, like PyTorch's roll. Those that leave at the end come in at the front. Without `axes`, all elements are treated as one row.","kinds":["slice","shuffle"]},
  {"method":"rsqrt","about":"`1 / √x`, of floats.","kinds":["unary"]},
  {"method":"silu","about":"`x · sigmoid(x)`, of floats (Elfwing et al., 2017).","kinds":["activation","element_wise"]},
  {"method":"std","about":"Standard deviation, the square root of `var`.","kinds":["reduce","element_wise","unary"]},
  {"method":"swish","about":"Same as `silu`.","kinds":["activation","element_wise"]},
  {"method":"tile","about":"Same as `repeat`, but fewer repeats than axes apply to the last axes, like PyTorch's and NumPy's tile.","kinds":["slice"]},
  {"method":"tril","about":"The lower triangle of the last two axes, zeros above it, like PyTorch's tril.","kinds":["fill","element_wise","select"]},
  {"method":"triu","about":"The upper triangle of the last two axes, zeros below it; see `tril`.","kinds":["fill","element_wise","select"]},
  {"method":"trueDivide","about":"`a / b` as floats, like PyTorch's true_divide and `/`: integers are converted to float32 first, or to the dtype of a float on the other side.","kinds":["cast","element_wise"]},
  {"method":"trunc","about":"The whole number next to x toward 0, like PyTorch's trunc; integers stay as they are.","kinds":["unary","element_wise","select"]},
  {"method":"unbind","about":"The slices of an axis (default 0), each without that axis, like PyTorch's unbind.","kinds":["slice","squeeze"]},
  {"method":"unfold","about":"The windows of an image as columns, like PyTorch's Unfold (im2col): [batch, channels, height, width] → [batch, channels·kernel height·kernel width, windows], row by row; also without a batch. Of any dtype but uint8.","kinds":["gather","shuffle","padding","slice","fill"]},
  {"method":"var","about":"Variance over `axes` (default all), `Σ (x − mean)² / (n − correction)`, of floats, computed in float32. NaN if there is nothing to divide by.","kinds":["reduce","element_wise"]},
  {"method":"zerosLike","about":"Zeros in the shape and dtype of this tensor.","kinds":["constant","slice"]},
];
