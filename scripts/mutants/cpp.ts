import {
  type Change,
  type CppSource,
  calls,
  matches,
  type Operator,
  type Parsed,
  replace,
  short,
  textOf,
  typeOf,
} from './cpp-source.js';
import * as values from './cpp-values.js';
import { type Span, withoutComments, withoutStrings } from './text.js';

/** Drops the call of a setter; one that returns whether it was accepted returns true. */
const dropSetters: Operator = (source) => {
  const pattern = /\b(?:l\.)?call<(?:m::)?\w+::(set\w+|clearFlag)>/;
  const dropped = [...calls(source, pattern)].flatMap(({ match, span, args }) => {
    const before = source.bare.slice(0, span.start).trimEnd();
    // A call that returns a layer, which is passed on.
    if (before.endsWith(',')) return [];
    const isStatement = /(^|[;{})])$/.test(before) && /^\s*;/.test(source.bare.slice(span.end));
    const index = match[1] === 'setInput' ? ` ${textOf(source, args[1]!)}` : '';
    const operator = match[1] === 'setName' ? 'name' : 'drop';
    return [{ operator, what: match[1] + index, edits: [replace(span, isStatement ? '(void)0' : 'true')] }];
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

/** Names that mean the same in every file, and are never swapped. */
const fixed = new Set(['l', 'node', 'layer', 'api', 'config', 'builder', 'profile', 'suffix', 'names', 'nullptr']);

/** What two arguments must share to be swapped: the form of the expression, and for plain names the type. */
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

/** Swaps two neighbouring arguments of the same form. */
const exchangeArguments: Operator = (source) =>
  [...calls(source, /\b(?:(?:add|call)<(?:m::)?\w+::(\w+)>|(combine|too_late|pad_by_slice))/)]
    // These are commutative.
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

/** Reads an input at the index of another. */
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

/** Reverses a list of inputs. */
const reverseInputs: Operator = (source) =>
  [...matches(source.code, /\binputs\.push_back\((l\.input\(node, i\))\)/g)].map((match) => ({
    operator: 'reverse',
    what: 'inputs',
    edits: [replace(match, `inputs.insert(inputs.begin(), ${match[1]})`)],
  }));

const negateConditions: Operator = (source) => {
  const conditions = [...calls(source, /\bif /)].flatMap(({ args, span }) => {
    const condition = { start: args[0]!.start, end: args.at(-1)!.end };
    const text = textOf(source, condition);
    const isBool = /^!?\w+$/.test(text) && typeOf(source, text.replace('!', '')) === 'bool';
    // Skip null checks of layers and declarations.
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

/** Sizes, indices and pointers: if changed, they read foreign memory, which no test has to notice. */
const reachesMemory = /\.size\(\)|\.count\b|\bdata\(\)|\bend\(\)|\.d\b(?!\[)|bytes|sizeof|std::max\(index/;

/** Whether a place is between square brackets on its line. */
function isIndex(bare: string, at: number): boolean {
  const before = bare.slice(bare.lastIndexOf('\n', at) + 1, at);
  return before.lastIndexOf('[') > before.lastIndexOf(']');
}

/** Operators between numbers or conditions, except in loops and texts. */
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

/** In the order they are chosen from. */
const operators: readonly Operator[] = [
  dropSetters,
  exchangeArguments,
  values.otherEnumerators,
  values.otherParameter,
  values.invertFlags,
  dropWeights,
  otherInput,
  values.otherAxis,
  values.otherRows,
  swapOperators,
  negateConditions,
  values.otherNumbers,
  reverseInputs,
  values.otherDType,
  values.emptyTexts,
  values.otherLayers,
  values.exchangeChoices,
  values.otherConstants,
];

/** Every change to a C++ file, by operator. */
export function cppChanges(source: CppSource): Change[][] {
  const parsed = { ...source, code: withoutComments(source.text), bare: withoutStrings(source.text) };
  const lists = operators.map((operator) => operator(parsed));
  // Names come last, because they change no result.
  const isName = ({ operator }: Change) => operator === 'name';
  return [...lists.map((list) => list.filter((change) => !isName(change))), lists.flat().filter(isName)];
}
