import { show } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';
import type { ValueType } from './spec.js';
import { type FormatOptions, readFormats, type TensorFormat } from './tensor-format.js';

/** Options of an input or output. */
export interface IOOptions extends FormatOptions {
  /**
   * What the elements are, for people: `'RGB, 0 to 1'`. 1 to 1,000 characters. Engines and their files have it; it changes nothing else.
   * Default: none.
   */
  note?: string | undefined;
}

/** What an input or output has beside its name and type. */
export interface IOTraits {
  /** Memory layouts that it may have; absent for the linear one. */
  formats?: readonly TensorFormat[] | undefined;
  /** What its elements are, for people; absent if there is no note. */
  note?: string | undefined;
}

/** The traits alone, without those that are absent. */
export const traitsOf = ({ formats, note }: IOTraits): IOTraits => ({
  ...(formats && { formats }),
  ...noteOf({ note }),
});

/** The note alone, if there is one. */
export const noteOf = ({ note }: IOTraits): Pick<IOTraits, 'note'> => (note === undefined ? {} : { note });

/** An input or output as callers see it. */
export interface NamedIO extends ValueType, Pick<IOTraits, 'note'> {
  /** Its name. */
  name: string;
}

/** A copy of what callers see of an input or output. */
export const shownIO = ({ name, dtype, shape, note }: NamedIO): NamedIO => ({
  name,
  dtype,
  shape: [...shape],
  ...noteOf({ note }),
});

/** What options say of an input or output. @param others other options that the caller could have given @throws ERR_PARAMETER */
export function readIOOptions(options: IOOptions, method: string, others: readonly string[] = []): IOTraits {
  if (typeof options !== 'object' || options === null) {
    refuse(method, 'ERR_PARAMETER', `expected options, given ${show(options)}`, { actual: options });
  }
  const expected = [...others, 'format', 'note'];
  const odd = Object.keys(options).find((name) => name !== 'format' && name !== 'note');
  if (odd !== undefined) {
    refuse(method, 'ERR_PARAMETER', `there is no option '${odd}'; there are ${expected.join(', ')}`, {
      expected,
      actual: odd,
    });
  }
  const { format, note } = options;
  return traitsOf({ formats: readFormats(format, method), note: readNote(note, method) });
}

const longest = 1000;

function readNote(given: unknown, method: string): string | undefined {
  if (given === undefined) return undefined;
  const facts = { option: 'note', actual: given };
  if (typeof given !== 'string' || given === '' || given.length > longest) {
    const what = typeof given === 'string' && given !== '' ? `${given.length} characters` : show(given);
    return refuse(method, 'ERR_PARAMETER', `expected a text of 1 to ${longest} characters, given ${what}`, facts);
  }
  // Files could not hold it.
  if (/\p{Surrogate}/u.test(given)) {
    return refuse(method, 'ERR_PARAMETER', 'expected a text in Unicode, given half a surrogate pair', facts);
  }
  return given;
}
