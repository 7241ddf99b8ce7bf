// The methods' types are the only description of their options: `npm run signatures` generates these tables from them, and
// hover texts come from their comments. The kinds' zod schemas describe only TensorRT's parameters, which methods derive
// from options.

/** The shape of an options object. */
export interface Options {
  /** The names of the options; `*` matches any letters. */
  keys: readonly string[];
  /** Nested options, by key. */
  nested?: Readonly<Record<string, Options>>;
}

/** A method's parameter: a value, options, or either. */
export interface Parameter {
  /** Its name, unless it can only be options. */
  value?: string;
  /** Whether it takes any number of arguments. */
  rest?: true;
  options?: Options;
}

/** How a method is called. */
export type Call = readonly Parameter[];
