// Layers check TensorRT's parameters, weights and inputs under TensorRT's names. This maps them to the options they come
// from, if the names differ. A test passes nonsense values to every option of every method.

type Names = Readonly<Record<string, readonly string[]>>;

const kernel: Names = { kernel: ['weight'], outChannels: ['groups', 'weight'] };
const affine: Names = { scale: ['weight'] };
const ofType: Names = { to: ['dtype'] };

/** By method. */
const own: Readonly<Record<string, Names>> = {
  arange: { alpha: ['start'], beta: ['step'] },
  attention: { causalKind: ['causal'], quantizeTo: ['quantize'] },
  cast: ofType,
  conv1d: kernel,
  conv2d: kernel,
  conv3d: kernel,
  convTranspose1d: kernel,
  convTranspose2d: kernel,
  convTranspose3d: kernel,
  distCollective: { reduceOperation: ['reduce'] },
  expand: { reshape: ['dims'] },
  groupNorm: affine,
  instanceNorm: affine,
  interpolate: { sizes: ['size'], scales: ['scaleFactor'] },
  layerNorm: affine,
  leakyRelu: { alpha: ['negativeSlope'] },
  localResponseNorm: { window: ['size'] },
  maskedFill: { condition: ['mask'] },
  narrow: { size: ['length'] },
  pad: { fill: ['value'] },
  prelu: { slope: ['weight'] },
  randomNormal: { alpha: ['mean'], beta: ['std'] },
  randomUniform: { alpha: ['low'], beta: ['high'] },
  reshape: { reshape: ['dims'] },
  select: { start: ['index'] },
  shuffle: { dims: ['reshape'] },
  softplus: { alpha: ['beta'] },
  thresholdedRelu: { alpha: ['threshold'] },
  to: ofType,
  view: { reshape: ['dims'] },
};

/** For all methods: options that are alternatives to others. */
const others: Names = {
  axes: ['axis', 'normalizedShape'],
  blockShape: ['blockSize'],
  groups: ['numGroups'],
  prePadding: ['padding'],
  postPadding: ['padding'],
  running_mean: ['mean'],
  running_var: ['variance'],
};

const of = (names: Names | undefined, name: string): readonly string[] =>
  names && Object.hasOwn(names, name) ? names[name]! : [];

/** The names that a method's callers may use for its layers' `name`, likeliest first. */
export const namesFor = (method: string, name: string): readonly string[] => [
  ...of(Object.hasOwn(own, method) ? own[method] : undefined, name),
  name,
  ...of(others, name),
];
