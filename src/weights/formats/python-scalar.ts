export type PyScalar = null | boolean | number | bigint | string | PyFloat;

/** A Python float; whole numbers are ints. */
export class PyFloat {
  constructor(readonly value: number) {}
}

/** A scalar as Python's `str` writes it. */
export function scalarText(value: PyScalar): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return value instanceof PyFloat ? floatText(value.value) : String(value);
}

/** A float as Python's `repr` writes it: the fewest digits, with a point or an exponent. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  if (Object.is(value, -0)) return '-0.0';
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

/** A string as Python's `repr` writes it. */
export function stringText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\'\p{C}\p{Z}]/gu, (character) => {
    if (character === ' ') return character;
    if (character === "'") return quote === "'" ? "\\'" : character;
    const hex = character.codePointAt(0)!.toString(16);
    const long =
      hex.length <= 2
        ? `x${hex.padStart(2, '0')}`
        : hex.length <= 4
          ? `u${hex.padStart(4, '0')}`
          : `U${hex.padStart(8, '0')}`;
    return short[character] ?? `\\${long}`;
  });
  return `${quote}${escaped}${quote}`;
}

let differentNaNs = 0;

/** Equal texts for what Python finds equal, such as `1`, `1.0` and `True`. No NaN equals another. */
export function canonicalText(value: PyScalar): string {
  if (typeof value === 'boolean') return String(Number(value));
  if (!(value instanceof PyFloat)) return scalarText(value);
  const { value: number } = value;
  if (Number.isNaN(number)) return `nan${differentNaNs++}`;
  return String(Number.isInteger(number) ? BigInt(number) : number);
}
