import { type Dim, dimNames, evaluateDim, isExpression, linearIn, type Shape } from './dim.js';

/** An axis of an input. */
interface Place {
  input: string;
  axis: number;
}

/** A size that contradicts others. */
export interface Conflict extends Place {
  dim: string;
  /** Undefined where no size of a name makes the expression what was given. */
  expected: number | undefined;
  actual: number;
}

const none: Readonly<Record<string, number>> = Object.freeze(Object.create(null));

/** What feeds tell about dynamic dims: sizes of names, and of expressions over them. */
export class KnownSizes {
  /** With the inputs that told it. */
  readonly #names = new Map<string, { size: number; from: readonly string[] }>();
  readonly #expressions: (Place & { dim: string; size: number })[] = [];

  /** The size of a dim, as far as it is known. An expression's may be, though those of its names are not. */
  of(dim: Dim): number | undefined {
    if (typeof dim === 'number') return dim;
    const known = this.#names.get(dim)?.size;
    if (known !== undefined || !isExpression(dim)) return known;
    return evaluateDim(dim, this.names()) ?? this.#expressions.find((one) => one.dim === dim)?.size;
  }

  /** By name. */
  names(): Readonly<Record<string, number>> {
    if (this.#names.size === 0) return none;
    const sizes: Record<string, number> = Object.create(null);
    for (const [name, { size }] of this.#names) sizes[name] = size;
    return sizes;
  }

  /** Notes the size of a name, unless it has one. Returns the one that counts. */
  name(name: string, size: number, input: string): number {
    const known = this.#names.get(name)?.size;
    if (known === undefined) this.#names.set(name, { size, from: [input] });
    return known ?? size;
  }

  /** Notes the size of an expression, for `settle`. */
  expression(dim: string, size: number, place: Place): void {
    this.#expressions.push({ dim, size, ...place });
  }

  /** Derives the sizes of names from expressions where only one is open, and compares the others. */
  settle(): Conflict | undefined {
    if (this.#expressions.length === 0) return undefined;
    for (let before = -1; before !== this.#names.size; ) {
      before = this.#names.size;
      for (const { dim, size: actual, input, axis } of this.#expressions) {
        const open = dimNames(dim).filter((name) => !this.#names.has(name));
        const [name] = open;
        const expected = this.of(dim)!;
        if (expected !== actual) return { input, axis, dim, expected, actual };
        const line = open.length === 1 ? linearIn(dim, name!, this.names()) : undefined;
        if (!line) continue;
        const size = (actual - line.offset) / line.slope;
        if (!(Number.isSafeInteger(size) && size >= 0)) return { input, axis, dim, expected: undefined, actual };
        const others = dimNames(dim).flatMap((other) => this.#names.get(other)?.from ?? []);
        this.#names.set(name!, { size: size + 0, from: [...new Set([input, ...others])] });
      }
    }
    return undefined;
  }

  /** ` with batch = 8 (from input 'a')` for the names in these dims whose sizes are known. */
  describe(dims: Shape): string {
    const known = [...new Set(dims.flatMap(dimNames))].flatMap((name) => {
      const found = this.#names.get(name);
      if (!found) return [];
      const inputs = found.from.map((input) => `'${input}'`).join(' and ');
      return [`${name} = ${found.size} (from input${found.from.length > 1 ? 's' : ''} ${inputs})`];
    });
    return known.length > 0 ? ` with ${known.join(', ')}` : '';
  }
}
