import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { catalogue, choose, quotaOf } from '../../scripts/mutants/catalogue.js';
import { cppChanges } from '../../scripts/mutants/cpp.js';
import type { Change } from '../../scripts/mutants/cpp-source.js';
import * as known from '../../scripts/mutants/known.js';
import { layerRows } from '../../scripts/mutants/sources.js';
import { TestTable } from '../../scripts/mutants/tests.js';
import { applyEdits } from '../../scripts/mutants/text.js';
import { typescriptChanges } from '../../scripts/mutants/typescript.js';

const root = join(import.meta.dirname, '..', '..');
const enums = new Map([
  ['Operation', ['sum', 'prod', 'max']],
  ['Pool', ['workspace', 'dla']],
]);

const named = (text: string, lists: Change[][]): Record<string, string> =>
  Object.fromEntries(
    lists.flat().map(({ operator, what, edits }) => [`${operator} ${what}`, applyEdits(text, edits)] as const),
  );
const cpp = (text: string) => named(text, cppChanges({ text, enums }));
const typescript = (text: string) => named(text, typescriptChanges(text));

describe('operators of C++', () => {
  test.each<[string, string, string, string]>([
    ['a setter', 'l.call<m::A::setAlpha>(layer, f(1));', 'drop setAlpha', '(void)0;'],
    ['a setter after a condition', 'if (ok()) l.call<m::A::setMode>(layer, x);', 'drop setMode', 'if (ok()) (void)0;'],
    [
      'a setter that answers',
      'require(l.call<m::A::setMask>(a, b), "mask");',
      'drop setMask',
      'require(true, "mask");',
    ],
    ['an input that is set', 'l.call<m::Layer::setInput>(layer, 1, x);', 'drop setInput 1', '(void)0;'],
    ['a name', 'l.call<m::Layer::setName>(layer, n);', 'name setName', '(void)0;'],
    ['weights', 'f(l.weights(node, "bias"));', 'drop weights "bias"', 'f(Weights{});'],
    [
      'arguments of one form',
      'l.add<m::Network::addX>(x, p.dims("pre"), p.dims("post"));',
      'exchange addX p.dims("pre"), p.dims("post")',
      'l.add<m::Network::addX>(x, p.dims("post"), p.dims("pre"));',
    ],
    [
      'an input’s index',
      'f(l.input(node, 0), l.input(node, 2));',
      'input 2 read as 0',
      'f(l.input(node, 0), l.input(node, 0));',
    ],
    [
      'a parameter',
      'f(p.real("alpha"), p.real("beta"));',
      'parameter alpha read as beta',
      'f(p.real("beta"), p.real("beta"));',
    ],
    ['a flag', 'f(list[i].flag("reverse"));', 'invert reverse', 'f(!list[i].flag("reverse"));'],
    ['a flag behind a pointer', 'f(output->flag("reverse"));', 'invert reverse', 'f(!output->flag("reverse"));'],
    ['an axis', 'f(node.params.integer("axis"));', 'axis axis', 'f((node.params.integer("axis") ^ 1));'],
    ['an axis of a mask', 'mask |= 1u << axis;', 'axis of mask axis', 'mask |= 1u << (axis ^ 1);'],
    ['a number', 'f(p.real("eps"));', 'number eps', 'f((p.real("eps") + 1));'],
    [
      'a literal enumerator',
      'l.enumerator("Operation", "prod");',
      'enumerator Operation prod as max',
      'l.enumerator("Operation", "max");',
    ],
    [
      'an enumerator of TensorRT',
      'api_.enumerator("Pool", "kWORKSPACE");',
      'enumerator Pool kWORKSPACE as kDLA',
      'api_.enumerator("Pool", "kDLA");',
    ],
    [
      'an enumerator that a parameter tells',
      'l.enumerator("Operation", p.text("type"));',
      'enumerator Operation sum ↔ prod',
      'l.enumerator("Operation", [](std::string const& v) -> std::string { return v == "sum" ? "prod" : v == "prod" ? "sum" : v; }(p.text("type")));',
    ],
    [
      'an option’s enumerator',
      'set(enumerator("Operation", "option"));',
      'enumerator Operation',
      'set((enumerator("Operation", "option") ^ 1));',
    ],
    ['a dtype', 'f(l.dtype("int32"));', 'dtype int32 as int64', 'f(l.dtype("int64"));'],
    ['rows of a table', 'rows = {{"a", "kA"}, {"b", "kB"}};', 'row b as kA', 'rows = {{"a", "kA"}, {"b", "kA"}};'],
    [
      'a choice',
      'kind = back ? "reverse" : "concatenate";',
      'choice "reverse" or "concatenate"',
      'kind = back ? "concatenate" : "reverse";',
    ],
    ['a condition', 'if (p.has("k")) f();', 'negate p.has("k")', 'if (!(p.has("k"))) f();'],
    ['a flag of its own', 'bool const wide = a == b;', 'negate wide', 'bool const wide = !(a == b);'],
    ['an operator', 'f(1 - share);', 'swap f(1 - share) to +', 'f(1 + share);'],
    ['a comparison', 'if (size >= 0) f();', 'swap (size >= 0) to >', 'if (size > 0) f();'],
    ['a constant', 'l.reshape(x, {0, 1});', 'constant reshape {0, 1}: 0 to 1', 'l.reshape(x, {1, 1});'],
    ['a text', 'f(p.text("message").c_str());', 'empty message', 'f("");'],
    [
      'a list of inputs',
      'inputs.push_back(l.input(node, i));',
      'reverse inputs',
      'inputs.insert(inputs.begin(), l.input(node, i));',
    ],
    [
      'a layer',
      'l.add<m::Network::addShape>(x);',
      'layer addShape as addIdentity',
      'l.add<m::Network::addIdentity>(x);',
    ],
  ])('%s', (_, source, name, expected) => {
    expect(cpp(source)).toHaveProperty([name], expected);
  });

  test.each([
    ['comments and strings', '// l.call<m::A::setAlpha>(layer, 1), p.flag("k")\nf("a - b");'],
    ['loops', 'for (int i = 0; i < n; i++) f(i);'],
    ['whether a layer came', 'if (!layer) return nullptr;'],
    ['a setter that returns a layer', 'l.part(node, l.call<m::A::setCondition>(a, l.input(node, 0)), "condition");'],
    ['texts that are joined', 'throw Error("ERR_A", name + ": refused");'],
    ['sizes and indices', 'f(values.size() * 4, list[i - 1]);'],
    ['operands that may change places', 'l.add<m::Network::addElementWise>(a(1), a(2), op("sum"));'],
  ])('leave alone: %s', (_, source) => {
    expect(cpp(source)).toEqual({});
  });
});

describe('operators of CPU mappings', () => {
  const mapping = (body: string) =>
    `defineLayer({ kind: 'k', infer() { return 1 + 2; }, cpu(g, { input }) { ${body} } });`;

  test.each<[string, string, string, string]>([
    ['an operator of ONNX', "return g.op('Exp', [x]);", 'operator Exp to Log', "return g.op('Log', [x]);"],
    ['inputs', "return g.op('Sub', [a, b]);", 'exchange inputs of Sub a, b', "return g.op('Sub', [b, a]);"],
    [
      'an attribute',
      "return g.op('CumSum', [x], { exclusive, reverse });",
      'drop exclusive of CumSum',
      "return g.op('CumSum', [x], {  reverse });",
    ],
    [
      'an axis',
      "return g.op('Concat', xs, { axis });",
      'axis of Concat',
      "return g.op('Concat', xs, { axis: (axis) ^ 1 });",
    ],
    ['arithmetic', 'return f(n - 1);', 'swap n - 1 to +', 'return f(n + 1);'],
    ['a condition', 'return wide ? a : b;', 'negate wide', 'return !(wide) ? a : b;'],
    [
      'a constant',
      "return g.constant('int64', [1], [2]);",
      'constant [2]: 2 to 3',
      "return g.constant('int64', [1], [3]);",
    ],
    ['an input', 'return f(input(0), input(1));', 'input 0 read as 1', 'return f(input(1), input(1));'],
  ])('%s', (_, body, name, expected) => {
    expect(typescript(mapping(body))).toHaveProperty([name], mapping(expected));
  });

  test('commutative operators keep their inputs, and inference is left alone', () => {
    expect(Object.keys(typescript(mapping("return g.op('Add', [a, b]);")))).toEqual(['operator Add to Sub']);
  });

  test('tables of ONNX operators and functions that write into a graph belong to the mapping', () => {
    expect(typescript("const onnxOperators = { exp: 'Exp' };")).toEqual({
      'operator exp: Exp to Log': "const onnxOperators = { exp: 'Log' };",
    });
    expect(Object.keys(typescript('function f(g: CpuGraph, n: number) { return n * 2; }'))).toEqual([
      'swap n * 2 to +',
    ]);
    expect(typescript('function f(n: number) { return n * 2; }')).toEqual({});
  });
});

describe('the catalogue', () => {
  const { all, chosen } = catalogue(root);

  test('has ids of its own for every mutant, each of another text', () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(new Set(all.map(({ target, text }) => target.path + text)).size).toBe(all.length);
    expect(all.filter(({ target, text }) => target.text === text)).toEqual([]);
  });

  test('runs at least 120, which are no more than the quota of each file', () => {
    expect(chosen.length).toBeGreaterThanOrEqual(120);
    for (const { target } of chosen)
      expect(chosen.filter((one) => one.target === target).length).toBeLessThanOrEqual(quotaOf(target));
    expect(chosen.every((one) => all.includes(one))).toBe(true);
  });

  /** What there is to break where fewer than two places are. */
  const few: Readonly<Record<string, string>> = {
    assertion: 'one call with an input and a text',
    identity: 'one call with one input',
    shape: 'one call with one input',
  };

  test.each(layerRows(root))('$kind has mutants of both sides', ({ kind }) => {
    const count = (side: string) => chosen.filter(({ target }) => target.name === kind && target.side === side).length;
    expect(count('native')).toBeGreaterThanOrEqual(few[kind] ? 1 : 2);
    if (few[kind]) expect(all.filter(({ target }) => target.name === kind && target.side === 'native')).toHaveLength(1);
  });

  test('knows tests of every mutant', () => {
    const table = new TestTable(root);
    for (const mutant of all) {
      const [first] = table.stepsFor(mutant);
      expect(first?.pattern, mutant.id).toBeUndefined();
      expect(first?.files.length, mutant.id).toBeGreaterThan(0);
      for (const file of first!.files) expect(existsSync(join(root, file)), file).toBe(true);
    }
  });

  test('knows cases of plans by their kind', () => {
    const dir = mkdtempSync(join(tmpdir(), 'mutants-test-'));
    try {
      for (const folder of ['native', 'test/plans', 'test/layers']) mkdirSync(join(dir, folder), { recursive: true });
      writeFileSync(join(dir, 'native', 'table.def'), 'LAYER(softmax, addSoftMax)\n');
      for (const file of ['plans/plans', 'layers/softmax']) writeFileSync(join(dir, 'test', `${file}.test.ts`), '');
      const softmax = all.find(({ target }) => target.name === 'softmax' && target.side === 'native')!;
      const [own, plans] = new TestTable(dir).stepsFor(softmax);
      expect(own).toEqual({ files: ['test/layers/softmax.test.ts'] });
      expect(plans?.files).toEqual(['test/plans/plans.test.ts']);
      const cases = ['softmax', 'softmax_vector', 'fallback_softmax'];
      const others = ['ragged_softmax', 'softmaxes', 'fallback_ragged_softmax'];
      const isRun = (name: string) => new RegExp(plans!.pattern!).test(`a plan is ${name}`);
      expect([...cases, ...others].filter(isRun)).toEqual(cases);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('has every mutant that is known to survive', () => {
    const ids = new Set(all.map(({ id }) => id));
    const listed = [...Object.keys(known.equivalent), ...Object.keys(known.elsewhere)];
    expect(listed.filter((id) => !ids.has(id))).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
  });

  test('takes one of each operator, then a second', () => {
    expect(choose([['a1', 'a2', 'a3'], [], ['b1'], ['c1', 'c2']], 4)).toEqual(['a1', 'a2', 'b1', 'c1']);
    expect(choose([['a1'], ['b1']], 9)).toEqual(['a1', 'b1']);
  });
});
