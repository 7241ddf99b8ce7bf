import ts from 'typescript';
import type { Change } from './cpp-source.js';
import type { Edit } from './text.js';

/** ONNX operators, each with one that takes the same inputs but computes something else. */
const otherOperators: Readonly<Record<string, string>> = {
  Add: 'Sub',
  Sub: 'Add',
  Mul: 'Div',
  Div: 'Mul',
  Max: 'Min',
  Min: 'Max',
  Pow: 'Mul',
  Sum: 'Mean',
  And: 'Or',
  Or: 'And',
  Xor: 'Or',
  Equal: 'Greater',
  Greater: 'Less',
  Less: 'Greater',
  LessOrEqual: 'Less',
  GreaterOrEqual: 'Greater',
  Relu: 'Neg',
  Sigmoid: 'Tanh',
  Tanh: 'Sigmoid',
  Softsign: 'Tanh',
  Elu: 'LeakyRelu',
  Softplus: 'Relu',
  Exp: 'Log',
  Log: 'Exp',
  Sqrt: 'Reciprocal',
  Reciprocal: 'Sqrt',
  Abs: 'Neg',
  Neg: 'Abs',
  Sin: 'Cos',
  Cos: 'Sin',
  Tan: 'Atan',
  Sinh: 'Asinh',
  Cosh: 'Acosh',
  Asin: 'Acos',
  Acos: 'Asin',
  Atan: 'Tan',
  Asinh: 'Sinh',
  Acosh: 'Cosh',
  Atanh: 'Tanh',
  Ceil: 'Floor',
  Floor: 'Ceil',
  Round: 'Floor',
  Erf: 'Tanh',
  Sign: 'Abs',
  ReduceSum: 'ReduceMean',
  ReduceMean: 'ReduceSum',
  ReduceProd: 'ReduceSum',
  ReduceMax: 'ReduceMin',
  ReduceMin: 'ReduceMax',
  Softmax: 'LogSoftmax',
  MaxPool: 'LpPool',
  AveragePool: 'LpPool',
};

const commutative = new Set(['Add', 'Mul', 'Max', 'Min', 'Sum', 'And', 'Or', 'Xor', 'Equal']);

const swapped: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.PlusToken, '-'],
  [ts.SyntaxKind.MinusToken, '+'],
  [ts.SyntaxKind.AsteriskToken, '+'],
  [ts.SyntaxKind.SlashToken, '*'],
  [ts.SyntaxKind.PercentToken, '*'],
  [ts.SyntaxKind.LessThanToken, '<='],
  [ts.SyntaxKind.GreaterThanToken, '>='],
  [ts.SyntaxKind.LessThanEqualsToken, '<'],
  [ts.SyntaxKind.GreaterThanEqualsToken, '>'],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [ts.SyntaxKind.AmpersandAmpersandToken, '||'],
  [ts.SyntaxKind.BarBarToken, '&&'],
]);

interface Visit {
  node: ts.Node;
  text: string;
  add(operator: string, what: string, ...edits: Edit[]): void;
  /** Text of a node, on one line. */
  of(node: ts.Node): string;
  by(node: ts.Node, text: string): Edit;
}

/** The name of the ONNX operator that `g.op('Name', …)` or `g.ops('Name', …)` writes. */
function writtenOperator(node: ts.Node): { name: ts.StringLiteral; args: readonly ts.Expression[] } | undefined {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  if (!/^ops?$/.test(node.expression.name.text)) return undefined;
  const [name, ...args] = node.arguments;
  return name && ts.isStringLiteral(name) ? { name, args } : undefined;
}

function exchangeInputs({ node, add, of, by }: Visit): void {
  const written = writtenOperator(node);
  const list = written?.args[0];
  if (!written || !list || !ts.isArrayLiteralExpression(list) || commutative.has(written.name.text)) return;
  const [first, second] = list.elements;
  if (!first || !second || ts.isSpreadElement(first) || ts.isSpreadElement(second) || of(first) === of(second)) return;
  add(
    'exchange',
    `inputs of ${written.name.text} ${of(first)}, ${of(second)}`,
    by(first, of(second)),
    by(second, of(first)),
  );
}

function changeOperator({ node, add, by }: Visit): void {
  if (!ts.isStringLiteral(node) || !otherOperators[node.text]) return;
  const isTable = ts.isPropertyAssignment(node.parent) && ts.isIdentifier(node.parent.name);
  const key = isTable ? `${(node.parent.name as ts.Identifier).text}: ` : '';
  add('operator', `${key}${node.text} to ${otherOperators[node.text]}`, by(node, `'${otherOperators[node.text]}'`));
}

function changeAttributes({ node, text, add, of, by }: Visit): void {
  const written = writtenOperator(node);
  const attributes = written?.args[1];
  if (!written || !attributes || !ts.isObjectLiteralExpression(attributes)) return;
  for (const property of attributes.properties) {
    if (!property.name || !ts.isIdentifier(property.name)) continue;
    const name = property.name.text;
    if (name === 'axis') {
      const value = ts.isPropertyAssignment(property) ? of(property.initializer) : name;
      add('axis', `of ${written.name.text}`, by(property, `axis: (${value}) ^ 1`));
    } else if (!/body|branch/.test(name)) {
      const after = /^\s*,/.exec(text.slice(property.end))?.[0].length ?? 0;
      add('drop', `${name} of ${written.name.text}`, {
        start: property.getStart(),
        end: property.end + after,
        text: '',
      });
    }
  }
}

function negate({ node, add, of, by }: Visit): void {
  const condition = ts.isIfStatement(node) ? node.expression : ts.isConditionalExpression(node) ? node.condition : null;
  if (!condition || (ts.isIfStatement(node) && /^\{?\s*throw/.test(of(node.thenStatement)))) return;
  add('negate', of(condition), by(condition, `!(${of(condition)})`));
}

/** Operators between numbers or conditions, but not between texts. */
function swap({ node, add, of, by }: Visit): void {
  if (!ts.isBinaryExpression(node)) return;
  const other = swapped.get(node.operatorToken.kind);
  if (!other || [node.left, node.right].some((side) => /['"`]/.test(of(side)) && /[-+*]/.test(of(node.operatorToken))))
    return;
  add(
    'swap',
    `${of(node.left).slice(-24)} ${of(node.operatorToken)} ${of(node.right).slice(0, 24)} to ${other}`,
    by(node.operatorToken, other),
  );
}

/** Numbers in lists, which are shapes, axes and elements; not indices into lists. */
function changeNumber({ node, add, of, by }: Visit): void {
  if (!ts.isNumericLiteral(node) || node.text.includes('.')) return;
  const number = ts.isPrefixUnaryExpression(node.parent) ? node.parent : node;
  const { parent } = number;
  const inList = ts.isArrayLiteralExpression(parent) && !ts.isVariableDeclaration(parent.parent);
  const inCall =
    ts.isCallExpression(parent) && !/^(input|slice|at)$|\.(slice|at|toSpliced)$/.test(of(parent.expression));
  if (!inList && !inCall) return;
  const by1 = String(Number(of(number)) + 1);
  add('constant', `${of(parent).slice(0, 48)}: ${of(number)} to ${by1}`, by(number, by1));
}

function otherInput({ node, add, by, of }: Visit, indices: readonly string[]): void {
  if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression) || node.expression.text !== 'input') return;
  const [index] = node.arguments;
  if (!index || !ts.isNumericLiteral(index) || indices.length < 2) return;
  const other = indices[(indices.indexOf(index.text) + 1) % indices.length]!;
  add('input', `${of(index)} read as ${other}`, by(index, other));
}

const rules = [changeOperator, exchangeInputs, changeAttributes, swap, negate, changeNumber] as const;

/** Whether a function writes into a CPU graph. */
const takesGraph = (node: ts.Node): boolean =>
  ts.isFunctionLike(node) &&
  node.parameters.some(({ name, type }) => name.getText() === 'g' || type?.getText() === 'CpuGraph');

/** The CPU mappings in a file: the `cpu` of a kind, the functions that write into a graph, tables of ONNX operators. */
function mappingsOf(file: ts.SourceFile): ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    const isTable = ts.isVariableDeclaration(node) && /onnx/i.test(node.name.getText());
    const isMapping =
      ((ts.isPropertyAssignment(node) || ts.isMethodDeclaration(node)) && node.name.getText() === 'cpu') ||
      takesGraph(node);
    if (isMapping || isTable) found.push(node);
    else ts.forEachChild(node, visit);
  };
  ts.forEachChild(file, visit);
  return found;
}

/** Every change to the CPU mappings of a TypeScript file, or with `whole` to the whole file, by operator. */
export function typescriptChanges(text: string, whole = false): Change[][] {
  const file = ts.createSourceFile('mutant.ts', text, ts.ScriptTarget.ES2022, true);
  const indices = [...new Set([...text.matchAll(/\binput\((\d)\)/g)].map((match) => match[1]!))].sort();
  const changes = new Map<string, Change[]>();
  const helpers = {
    text,
    of: (node: ts.Node) => node.getText().replace(/\s+/g, ' '),
    by: (node: ts.Node, by: string): Edit => ({ start: node.getStart(), end: node.end, text: by }),
    add(operator: string, what: string, ...edits: Edit[]) {
      changes.set(operator, [...(changes.get(operator) ?? []), { operator, what, edits }]);
    },
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isCatchClause(node)) return;
    for (const rule of rules) rule({ node, ...helpers });
    otherInput({ node, ...helpers }, indices);
    ts.forEachChild(node, visit);
  };
  for (const node of whole ? [file] : mappingsOf(file)) visit(node);
  const order = ['operator', 'exchange', 'drop', 'axis', 'swap', 'input', 'negate', 'constant'];
  return order.map((operator) => changes.get(operator) ?? []);
}
