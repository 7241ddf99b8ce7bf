import type { Argument, Call, RandomGraph } from './description.js';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const key = (name: string) => (/^[a-z]\w*$/i.test(name) ? name : JSON.stringify(name));

function renderArgument(value: Argument, indent: string): string {
  if (Array.isArray(value)) return `[${value.map((item) => renderArgument(item, indent)).join(', ')}]`;
  if (!isObject(value)) return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
  if (typeof value.$ === 'string') return value.$;
  if (value.$f) {
    const { params, layers, return: result } = value.$f as { params: string[]; layers: Call[]; return: Argument };
    const inner = `${indent}  `;
    const lines = [
      ...layers.map((layer) => renderCall(layer, inner)),
      `${inner}return ${renderArgument(result, inner)};`,
    ];
    return `(${params.length ? `{ ${params.join(', ')} }` : ''}) => {\n${lines.join('\n')}\n${indent}}`;
  }
  const entries = Object.entries(value).map(([name, item]) => `${key(name)}: ${renderArgument(item, indent)}`);
  return `{ ${entries.join(', ')} }`;
}

/** Left side of a call: `const v1`, `const [v1, v2]`, `const { state: { s: v1 } }`. */
function renderResult({ out, at }: Call): string {
  const [first] = out;
  if (!at) return first![0];
  if (!at[0]!.includes('.')) return `[${out.map(([name]) => name).join(', ')}]`;
  return `{ ${out.map(([name], i) => at[i]!.split('.').reduceRight((inner, part) => `${part}: ${inner.includes(':') ? `{ ${inner} }` : inner}`, name)).join(', ')} }`;
}

function renderCall(call: Call, indent: string): string {
  const on = call.on === null ? '' : `${call.on}.`;
  const args = call.args.map((argument) => renderArgument(argument, indent)).join(', ');
  return `${indent}const ${renderResult(call)} = ${on}${call.m}(${args});`;
}

/** A graph as a program that can be run. */
export function render({ description, tensors }: RandomGraph, outputs: readonly string[]): string {
  const { inputs, weights, layers } = description;
  const elements = (name: string) => {
    const { dtype, shape, data } = tensors.get(name)!;
    const list = Array.from(
      data as Iterable<number | bigint>,
      (value) => `${value}${typeof value === 'bigint' ? 'n' : ''}`,
    );
    return `{ dtype: '${dtype}', shape: [${shape.join(', ')}], data: ${data.constructor.name}.of(${list.join(', ')}) }`;
  };
  const functions = layers.flatMap(({ on, m }) => (on === null ? [m] : []));
  const specs = inputs.map(([, dtype]) => dtype);
  const lines = [
    `import { ${[...new Set(['network', ...specs, ...functions])].sort().join(', ')} } from 'node-tensorrt';`,
    '',
    "const net = network('random');",
    ...inputs.map(
      ([name, dtype, shape]) =>
        `const ${name} = net.input('${name}', ${dtype}(${shape.map((dim) => renderArgument(dim, '')).join(', ')}));`,
    ),
    ...weights.map(([name]) => `const ${name} = ${elements(name)};`),
    ...layers.map((layer) => renderCall(layer, '')),
    ...outputs.map((name) => `${name}.output('${name}');`),
    '',
    'await net.check();',
    "using model = await net.compile({ backend: 'cpu' });",
    `console.log(await model.run({ ${inputs.map(([name]) => `${name}: ${elements(name)}`).join(', ')} }));`,
  ];
  return `${lines.join('\n')}\n`;
}
