import { argumentsOf, closing, type Edit, type Span, withoutComments, withoutStrings } from './text.js';

/** What one operator does at one place; `what` names the place by what stands there, never by its line. */
export interface Change {
  operator: string;
  what: string;
  edits: Edit[];
}

/** A C++ file, and what its operators need to know beside it. */
export interface CppSource {
  /** With comments. */
  text: string;
  /** TensorRT's enumerators by enum, as the IR writes them: `max` for `kMAX`. */
  enums: ReadonlyMap<string, readonly string[]>;
}

interface Parsed extends CppSource {
  /** Without comments. */
  code: string;
  /** Without comments and strings. */
  bare: string;
}

type Operator = (source: Parsed) => Change[];

const replace = ({ start, end }: Span, text: string): Edit => ({ start, end, text });
const short = (text: string) => text.replace(/\s+/g, ' ').trim();

/** Matches of a pattern in `text`, each with the span of the whole match. */
function* matches(text: string, pattern: RegExp): Generator<RegExpExecArray & Span> {
  for (const match of text.matchAll(pattern))
    yield Object.assign(match as RegExpExecArray, { start: match.index, end: match.index + match[0].length });
}

/** Calls of the functions that `pattern`, which ends before the bracket, matches. */
function* calls(source: Parsed, pattern: RegExp): Generator<{ match: RegExpExecArray; span: Span; args: Span[] }> {
  for (const match of matches(source.bare, new RegExp(`${pattern.source}\\(`, 'g'))) {
    const close = closing(source.bare, match.end - 1);
    const args = argumentsOf(source.bare, match.end - 1, close);
    yield { match, span: { start: match.start, end: close + 1 }, args };
  }
}

const textOf = (source: Parsed, { start, end }: Span) => source.code.slice(start, end);

/** A setter that is not called; one that tells whether it was taken says yes. */
const dropSetters: Operator = (source) => {
  const dropped = [...calls(source, /\b(?:l\.)?call<(?:m::)?\w+::(set\w+|clearFlag)>/)].map(({ match, span, args }) => {
    const isStatement =
      /[;{})]\s*$/.test(source.bare.slice(0, span.start)) && /^\s*;/.test(source.bare.slice(span.end));
    const index = match[1] === 'setInput' ? ` ${textOf(source, args[1]!)}` : '';
    const operator = match[1] === 'setName' ? 'name' : 'drop';
    return { operator, what: match[1] + index, edits: [replace(span, isStatement ? '(void)0' : 'true')] };
  });
  const optional = [...calls(source, /\bl\.(set_optional_inputs)/)].map(({ match, span }) => ({
    operator: 'drop',
    what: match[1]!,
    edits: [replace(span, '(void)0')],
  }));
  return [...dropped, ...optional];
};

const dropWeights: Operator = (source) =>
  [...calls(source, /\bl\.weights/)].map(({ span, args }) => ({
    operator: 'drop',
    what: `weights ${textOf(source, args[1]!)}`,
    edits: [replace(span, 'Weights{}')],
  }));

/** Names that stand for one thing in every file, and are exchanged with nothing. */
const fixed = new Set(['l', 'node', 'layer', 'api', 'config', 'builder', 'profile', 'suffix', 'names', 'nullptr']);

/** The type a name was declared with in this file; '' where no declaration is found. */
function typeOf(source: Parsed, name: string): string {
  const one = new RegExp(`\\b([A-Za-z]\\w*)(?: const)?\\s?[*&]? ?\\b${name}\\b(?=\\s*[=;{,)[])`, 'g');
  const types = [...matches(source.bare, one)].map((match) => match[1]!).filter((type) => type !== 'return');
  const joined = new RegExp(`\\b(Tensor|Dims)\\b [^;]*[,*] ?\\*?${name}\\b\\s*[=,;]`).exec(source.bare);
  return types[0] ?? joined?.[1] ?? '';
}

/** What two arguments must share to be exchanged: the form of the expression, and of plain names the type. */
function formOf(source: Parsed, span: Span): string | undefined {
  const text = textOf(source, span);
  if (/^\w+$/.test(text)) {
    if (/^\d/.test(text)) return 'number';
    return fixed.has(text) || /^(true|false)$/.test(text) ? undefined : `name ${typeOf(source, text)}`;
  }
  if (/^(\w+::)*[\w<>]+ (const)?[&*]? ?\w+$|[*&] ?\w+$/.test(text)) return undefined;
  const form = text.replace(/"[^"]*"/g, '""').replace(/\d+/g, '0');
  return form === '""' ? undefined : form;
}

/** Two neighbouring arguments of one form, each in the other's place. */
const exchangeArguments: Operator = (source) =>
  [...calls(source, /\b(?:(?:add|call)<(?:m::)?\w+::(\w+)>|(combine|too_late|pad_by_slice))/)]
    // The operands of these come out the same either way round.
    .filter(({ span }) => !/"(sum|prod|max|min)"/.test(textOf(source, span)))
    .flatMap(({ match, args }) => args.slice(1).map((second, i) => ({ match, first: args[i]!, second })))
    .filter(({ first, second }) => {
      const form = formOf(source, first);
      return form && form === formOf(source, second) && textOf(source, first) !== textOf(source, second);
    })
    .map(({ match, first, second }) => {
      const [a, b] = [textOf(source, first), textOf(source, second)];
      return {
        operator: 'exchange',
        what: `${match[1] ?? match[2]} ${short(a)}, ${short(b)}`,
        edits: [replace(first, b), replace(second, a)],
      };
    });

/** An input read at the index of another. */
const otherInput: Operator = (source) => {
  const reads = [...calls(source, /\bl\.input/)].flatMap(({ args }) => {
    const index = textOf(source, args[1]!);
    return /^\d$/.test(index) ? [{ span: args[1]!, index }] : [];
  });
  const all = [...new Set(reads.map(({ index }) => index))].sort();
  if (all.length < 2) return [];
  return reads.map(({ span, index }) => {
    const other = all[(all.indexOf(index) + 1) % all.length]!;
    return { operator: 'input', what: `${index} read as ${other}`, edits: [replace(span, other)] };
  });
};

/** A parameter, or weights, read under the name of another that is read the same way. */
const otherParameter: Operator = (source) =>
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

/** Where an expression that ends with a call of a method begins: `iterators[i].flag(`. */
const object = String.raw`(?<![\w.>])(?:\w+(?:\[[^\]]*\])*(?:\.|->))+`;

function readings(source: Parsed, getter: string): { name: string; span: Span; text: string }[] {
  return [...matches(source.code, new RegExp(`${object}${getter}\\(("?)(\\w+)\\1\\)`, 'g'))].map((match) => ({
    name: match[2]!,
    span: match,
    text: match[0],
  }));
}

const invertFlags: Operator = (source) =>
  readings(source, 'flag').map(({ name, span, text }) => ({
    operator: 'invert',
    what: name,
    edits: [replace(span, `!${text}`)],
  }));

/** An axis and its neighbour, 0 and 1 or 2 and 3: within most ranks, so that TensorRT does not refuse it outright. */
const otherAxis: Operator = (source) => {
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

const otherNumbers: Operator = (source) =>
  [...readings(source, 'integer').filter(({ name }) => !/axis/i.test(name)), ...readings(source, 'real')].map(
    ({ name, span, text }) => ({ operator: 'number', what: name, edits: [replace(span, `(${text} + 1)`)] }),
  );

/** A literal enumerator becomes the next; where a parameter tells, two change places. */
const otherEnumerators: Operator = (source) =>
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
      edits: [
        replace(
          args[1]!,
          `[](std::string const& v) -> std::string { return v == "${a}" ? "${b}" : v == "${b}" ? "${a}" : v; }(${value})`,
        ),
      ],
    }));
  });

/** Every value in one pair; the last of an odd number with the first. */
const pairsOf = (all: readonly string[]): [string, string][] =>
  all.flatMap((value, i): [string, string][] => (i % 2 ? [] : [[value, all[i + 1] ?? all[0]!]]));

const exchangeChoices: Operator = (source) =>
  [...matches(source.code, /\? ("\w+") : ("\w+")/g)].map((match) => ({
    operator: 'choice',
    what: `${match[1]} or ${match[2]}`,
    edits: [replace(match, `? ${match[2]} : ${match[1]}`)],
  }));

/** `{"tf32", "kTF32"}` with the second text of the next row. */
const otherRows: Operator = (source) => {
  const rows = [...source.code.matchAll(/\{"(\w+)", "(\w+)"\}/dg)];
  return rows.map((row, i) => {
    const next = rows[(i + 1) % rows.length]![2]!;
    const [start, end] = row.indices![2]!;
    return { operator: 'row', what: `${row[1]} as ${next}`, edits: [{ start, end, text: next }] };
  });
};

const negateConditions: Operator = (source) => {
  const conditions = [...calls(source, /\bif /)].flatMap(({ args, span }) => {
    const condition = { start: args[0]!.start, end: args.at(-1)!.end };
    const text = textOf(source, condition);
    const isBool = /^!?\w+$/.test(text) && typeOf(source, text.replace('!', '')) === 'bool';
    // Whether a layer came is no question of this file, nor is a declaration.
    if ((/^!?\w+$/.test(text) && !isBool) || /[^=!<>]=[^=]/.test(text)) return [];
    if (/^\s*\{?\s*(throw|fail)/.test(source.bare.slice(span.end))) return [];
    return [{ what: short(text), span: condition, text }];
  });
  const flags = [...matches(source.bare, /\bbool(?: const)? (\w+) = ([^;]+);/g)].map((match) => {
    const span = { start: match.end - 1 - match[2]!.length, end: match.end - 1 };
    return { what: match[1]!, span, text: textOf(source, span) };
  });
  return [...conditions, ...flags].map(({ what, span, text }) => ({
    operator: 'negate',
    what,
    edits: [replace(span, `!(${text})`)],
  }));
};

const swapped: Readonly<Record<string, string>> = {
  '+': '-',
  '-': '+',
  '*': '+',
  '/': '*',
  '%': '/',
  '<': '<=',
  '>': '>=',
  '<=': '<',
  '>=': '>',
  '==': '!=',
  '!=': '==',
  '&&': '||',
  '||': '&&',
};

/** Sizes, indices and pointers: changed, they read memory that is not theirs, which no test has to notice. */
const reachesMemory = /\.size\(\)|\.count\b|\bdata\(\)|\bend\(\)|\.d\b(?!\[)|bytes|sizeof|std::max\(index/;

/** Operators between numbers or conditions; loops keep theirs, and so do texts. */
const swapOperators: Operator = (source) => {
  const loops = [...calls(source, /\bfor /)].map(({ span }) => span);
  return [...matches(source.bare, /(?<=[\w)\]"]) ([-+*/%<>]|[<>=!]=|&&|\|\|) (?=[-\w("!])/g)].flatMap((match) => {
    const line = source.code.slice(
      source.code.lastIndexOf('\n', match.start) + 1,
      source.code.indexOf('\n', match.end),
    );
    const isText = /c_str|std::string|throw|message|text \+|fail\(|failures/.test(line);
    if (isText || /"$/.test(source.code.slice(0, match.start)) || source.code[match.end] === '"') {
      if (/^[-+*/%<>]/.test(match[1]!)) return [];
    }
    if (loops.some(({ start, end }) => start < match.start && match.end <= end)) return [];
    const left = /[\w.()[\]"-]{1,24}$/.exec(source.code.slice(0, match.start))?.[0] ?? '';
    const right = /^[\w.()[\]"-]{1,24}/.exec(source.code.slice(match.end))?.[0] ?? '';
    if (/^[-+*/%]$/.test(match[1]!) && (reachesMemory.test(`${left} ${right}`) || isIndex(source.bare, match.start)))
      return [];
    const by = swapped[match[1]!]!;
    return [{ operator: 'swap', what: `${left} ${match[1]} ${right} to ${by}`, edits: [replace(match, ` ${by} `)] }];
  });
};

/** Whether a place stands between square brackets, on its line. */
function isIndex(bare: string, at: number): boolean {
  const before = bare.slice(bare.lastIndexOf('\n', at) + 1, at);
  return before.lastIndexOf('[') > before.lastIndexOf(']');
}

/** Numbers among the arguments of a call, or in a list that is one. */
const otherConstants: Operator = (source) =>
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

/** In the order in which they are chosen from. */
const operators: readonly Operator[] = [
  dropSetters,
  exchangeArguments,
  otherEnumerators,
  otherParameter,
  invertFlags,
  dropWeights,
  otherInput,
  otherAxis,
  otherRows,
  swapOperators,
  negateConditions,
  otherNumbers,
  exchangeChoices,
  otherConstants,
];

/** Every change to a C++ file, by operator. */
export function cppChanges(source: CppSource): Change[][] {
  const parsed = { ...source, code: withoutComments(source.text), bare: withoutStrings(source.text) };
  const lists = operators.map((operator) => operator(parsed));
  // Names come last: they change no result.
  const isName = ({ operator }: Change) => operator === 'name';
  return [...lists.map((list) => list.filter((change) => !isName(change))), lists.flat().filter(isName)];
}
