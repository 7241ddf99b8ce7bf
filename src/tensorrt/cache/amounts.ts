const bytesPer: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const msPer: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };

function parse(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor =
    unit === undefined || !Object.hasOwn(units, unit.toLowerCase()) ? undefined : units[unit.toLowerCase()]!;
  const amount = factor === undefined ? Number.NaN : Math.round(Number(number) * factor);
  return Number.isSafeInteger(amount) ? amount : undefined;
}

/** Bytes: `5GB` is 5·10⁹, `5GiB` 5·2³⁰, `5` five. Undefined for anything else. */
export const parseSize = (text: string): number | undefined => parse(text, bytesPer);

/** Milliseconds: `30d`, and s, m, h and w. Undefined for anything else. */
export const parseAge = (text: string): number | undefined => parse(text, msPer);
