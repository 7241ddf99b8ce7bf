// The types of the methods are the one description of their options: `npm run signatures` reads these tables from them, and
// hover texts come from their comments. The zod schemas of the kinds describe TensorRT's parameters, which methods make of
// options, and nothing else.

/** What a method knows about an object of options. */
export interface Options {
  /** The names of the options; `*` in one stands for any letters. */
  keys: readonly string[];
  /** Options among the values of options, by key. */
  nested?: Readonly<Record<string, Options>>;
}

/** One parameter of a method: a value, options, or either. */
export interface Parameter {
  /** Its name, where it may be anything but options. */
  value?: string;
  /** Whether it stands for any number of arguments. */
  rest?: true;
  options?: Options;
}

/** How a method is called. */
export type Call = readonly Parameter[];
