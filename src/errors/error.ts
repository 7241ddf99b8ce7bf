import type { ErrorFacts, LayerAtFault, SourceLocation, WeightOperand } from './facts.js';
import { worded } from './wording.js';

export type {
  ErrorFacts,
  ErrorFacts as ErrorDetails,
  Fail,
  LayerAtFault,
  Refusal,
  SourceLocation,
  WeightOperand,
} from './facts.js';
export { show } from './wording.js';

/** The only error class of this package. `code` is stable; the message says what was expected and what was given. */
export class TensorRTError extends Error {
  /** Tells the class apart, also across copies of the package. */
  override readonly name = 'TensorRTError';
  /** What went wrong, e.g. `ERR_SHAPE`. Stable, so compare against it. */
  readonly code: string;
  /** The method or function that was called, e.g. `conv2d`. */
  declare readonly method?: string;
  /** The option or argument at fault, under the name you used, e.g. `weight`. */
  declare readonly option?: string;
  /** All options and arguments at fault, if there are several. */
  declare readonly options?: readonly string[];
  /** Name of the layer at fault. */
  declare readonly layer?: string;
  /** TensorRT layer kind, e.g. `convolution`. */
  declare readonly kind?: string;
  /** Several layers at fault, if what failed is made of them, each with the method, file and line that recorded it. */
  declare readonly layers?: readonly LayerAtFault[];
  /** The file and line in your code that recorded the layer. */
  declare readonly source?: SourceLocation;
  /** The line of CUDA source that does not compile. */
  declare readonly cuda?: SourceLocation;
  /** What was expected, e.g. a shape or a dtype. */
  declare readonly expected?: unknown;
  /** What was given instead. */
  declare readonly actual?: unknown;
  /** Weights from files that do not fit. */
  declare readonly weights?: readonly WeightOperand[];
  /** TensorRT's own log lines, oldest first. */
  declare readonly log?: string[];
  /** TensorRT's own code of the error, an enumerator of its `ErrorCode`: `kINVALID_ARGUMENT`, `kFAILED_ALLOCATION`, … */
  declare readonly tensorrtCode?: string;

  readonly #said: string;
  readonly #facts: ErrorFacts;

  /** @param said what is wrong; the message combines it with the facts */
  constructor(code: string, said: string, facts: ErrorFacts = {}) {
    super(worded(said, facts), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.#said = said;
    this.#facts = facts;
    const { cause: _, option, options = [], involved = [], ...others } = facts;
    const atFault = [...new Set([...(option === undefined ? [] : [option]), ...options, ...involved])];
    const named = { option: option ?? (atFault.length === 1 ? atFault[0] : undefined) };
    const fields = { ...named, options: atFault.length > 1 ? atFault : undefined, ...others };
    for (const [key, value] of Object.entries(fields)) if (value !== undefined) Object.assign(this, { [key]: value });
  }

  /** @internal The same error with other facts. */
  with(facts: ErrorFacts): TensorRTError {
    return new TensorRTError(this.code, this.#said, { ...this.#facts, ...facts });
  }
}
