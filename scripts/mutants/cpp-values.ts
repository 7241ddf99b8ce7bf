import { calls, matches, type Operator, object, readings, replace, short, textOf } from './cpp-source.js';
import type { Span } from './text.js';

// Operators that change values: parameters, enumerators, dtypes, tables and numbers.

/** Reads a parameter, or weights, by the name of another that is read the same way. */
export const otherParameter: Operator = (source) =>
  ['dims', 'flag', 'real', 'integer', 'weights'].flatMap((getter) => {
    const pattern = new RegExp(`\\b${getter}\\((?:node, )?"(\\w+)"\\)`, 'gd');
    const reads = [...source.code.matchAll(pattern)].map((match) => ({
      name: match[1]!,
      span: { start: match.indices![1]![0], end: match.indices![1]![1] },
    }));
    const all = [...new Set(reads.map(({ name }) => name))];
    if (all.length < 2) return [];
    return reads.map(({ name, span }) => {
      const other = all[(all.indexOf(name) + 1) % all.length]!;
      return { operator: 'parameter', what: `${name} read as ${other}`, edits: [replace(span, other)] };
    });
  });

export const invertFlags: Operator = (source) =>
  readings(source, 'flag').map(({ name, span, text }) => ({
    operator: 'invert',
    what: name,
    edits: [replace(span, `!${text}`)],
  }));

/** Swaps an axis with its neighbour, 0 with 1 or 2 with 3: valid for most ranks, so that TensorRT does not refuse it. */
export const otherAxis: Operator = (source) => {
  const read = readings(source, 'integer').filter(({ name }) => /axis/i.test(name));
  const shifted = [...matches(source.bare, /(?<=[=,] 1u << )(\w+)\b(?![.(])/g)].map((match) => ({
    name: `of mask ${match[1]}`,
    span: match as Span,
    text: match[1]!,
  }));
  return [...read, ...shifted].map(({ name, span, text }) => ({
    operator: 'axis',
    what: name,
    edits: [replace(span, `(${text} ^ 1)`)],
  }));
};

export const otherNumbers: Operator = (source) =>
  [...readings(source, 'integer').filter(({ name }) => !/axis/i.test(name)), ...readings(source, 'real')].map(
    ({ name, span, text }) => ({ operator: 'number', what: name, edits: [replace(span, `(${text} + 1)`)] }),
  );

/** Replaces a literal enumerator with the next; if a parameter decides, swaps two. */
export const otherEnumerators: Operator = (source) =>
  [...calls(source, /\b(?:l\.|api\.|api_\.)?enumerator/)].flatMap(({ match, span, args }) => {
    const [name, value] = args.map((arg) => textOf(source, arg));
    if (args.length !== 2 || !/^"\w+"$/.test(name!)) return [];
    const enumName = name!.slice(1, -1);
    // `enumerator("Enum", "option")` of the build options.
    if (match[0] === 'enumerator(')
      return [
        {
          operator: 'enumerator',
          what: enumName,
          edits: [replace(span, `(${source.code.slice(span.start, span.end)} ^ 1)`)],
        },
      ];
    const all = source.enums.get(enumName);
    if (!all) throw new Error(`no enum ${enumName} in enums.def`);
    const literal = /^"(k?)(\w+)"$/.exec(value!);
    if (literal?.[1] === 'k') {
      const at = all.indexOf(literal[2]!.toLowerCase());
      const next = `k${all[(at + 1) % all.length]!.toUpperCase()}`;
      return [
        {
          operator: 'enumerator',
          what: `${enumName} k${literal[2]} as ${next}`,
          edits: [replace(args[1]!, `"${next}"`)],
        },
      ];
    }
    if (literal) {
      const text = value!.slice(1, -1);
      const next = all[(all.indexOf(text) + 1) % all.length]!;
      return [
        { operator: 'enumerator', what: `${enumName} ${text} as ${next}`, edits: [replace(args[1]!, `"${next}"`)] },
      ];
    }
    if (all.length < 2 || /^(flag|selector|row\.enumerator)$/.test(value!)) return [];
    const spelled = value!.startsWith('"k') ? all.map((one) => `k${one.toUpperCase()}`) : all;
    return pairsOf(spelled).map(([a, b]) => ({
      operator: 'enumerator',
      what: `${enumName} ${a} ↔ ${b}`,
      edits: [replace(args[1]!, exchanged(value!, a, b))],
    }));
  });

/** An expression for a text in which two values are swapped. */
const exchanged = (value: string, a: string, b: string): string =>
  `[](std::string const& v) -> std::string { return v == "${a}" ? "${b}" : v == "${b}" ? "${a}" : v; }(${value})`;

/** Every value in one pair; the last of an odd number with the first. */
const pairsOf = (all: readonly string[]): [string, string][] =>
  all.flatMap((value, i): [string, string][] => (i % 2 ? [] : [[value, all[i + 1] ?? all[0]!]]));

const otherDTypes: Readonly<Record<string, string>> = {
  float32: 'float16',
  float16: 'bfloat16',
  bfloat16: 'float16',
  int32: 'int64',
  int64: 'int32',
};

/** Pairs of dtypes that a parameter may name, by its purpose. */
function dtypePairs(source: string, parameter: string): [string, string][] {
  const floats: [string, string] = ['float16', 'bfloat16'];
  const integers: [string, string] = ['int32', 'int64'];
  if (/indices/.test(parameter)) return [integers];
  if (!/"(to|quantizeTo)"/.test(parameter)) return [floats];
  if (/add(Dynamic)?Quantize|setQuantization|QuantizeToType/.test(source)) return [['int8', 'float8e4m3']];
  return /addCast/.test(source) ? [floats, integers] : [floats];
}

/** Replaces a dtype with another of its size or kind. */
export const otherDType: Operator = (source) =>
  [...calls(source, /\bl\.dtype/)].flatMap(({ args }) => {
    const value = textOf(source, args[0]!);
    const text = value.slice(1, -1);
    if (value.startsWith('"')) {
      const other = otherDTypes[text];
      return other
        ? [{ operator: 'dtype', what: `${text} as ${other}`, edits: [replace(args[0]!, `"${other}"`)] }]
        : [];
    }
    return dtypePairs(source.bare, value).map(([a, b]) => ({
      operator: 'dtype',
      what: `${short(value)} ${a} ↔ ${b}`,
      edits: [replace(args[0]!, exchanged(value, a, b))],
    }));
  });

/** Empties a text that is passed to TensorRT. */
export const emptyTexts: Operator = (source) =>
  [...matches(source.code, new RegExp(`${object}text\\("(\\w+)"\\)\\.c_str\\(\\)`, 'g'))].map((match) => ({
    operator: 'empty',
    what: match[1]!,
    edits: [replace(match, '""')],
  }));

/** Layers with one input and nothing else to break. */
export const otherLayers: Operator = (source) =>
  [...matches(source.bare, /\b(addIdentity|addShape)(?=>)/g)].map((match) => {
    const other = match[1] === 'addShape' ? 'addIdentity' : 'addShape';
    return { operator: 'layer', what: `${match[1]} as ${other}`, edits: [replace(match, other)] };
  });

export const exchangeChoices: Operator = (source) =>
  [...matches(source.code, /\? ("\w+") : ("\w+")/g)].map((match) => ({
    operator: 'choice',
    what: `${match[1]} or ${match[2]}`,
    edits: [replace(match, `? ${match[2]} : ${match[1]}`)],
  }));

/** `{"tf32", "kTF32"}`, but with the second text of the next row. */
export const otherRows: Operator = (source) => {
  const rows = [...source.code.matchAll(/\{"(\w+)", "(\w+)"\}/dg)];
  return rows.map((row, i) => {
    const next = rows[(i + 1) % rows.length]![2]!;
    const [start, end] = row.indices![2]!;
    return { operator: 'row', what: `${row[1]} as ${next}`, edits: [{ start, end, text: next }] };
  });
};

/** Numbers among the arguments of a call, or in a list that is an argument. */
export const otherConstants: Operator = (source) =>
  [
    ...calls(source, /\b(?:l\.)?(reshape|constant|add<m::\w+::\w+>|call<m::(?!Layer|Tensor)\w+::\w+>|positions)/),
  ].flatMap(({ match, args }) =>
    args.flatMap((arg) => {
      const text = source.bare.slice(arg.start, arg.end);
      if (!/^(-?\d+|\{[^{}]*\})$/.test(text)) return [];
      const name = match[1]!.replace(/.*::(\w+)>/, '$1');
      return [...matches(text, /(?<![\w.])-?\d+\b/g)].map((number) => {
        const by = String(Number(number[0]) + 1);
        const start = arg.start + number.start;
        return {
          operator: 'constant',
          what: `${name} ${short(text)}: ${number[0]} to ${by}`,
          edits: [{ start, end: start + number[0].length, text: by }],
        };
      });
    }),
  );
