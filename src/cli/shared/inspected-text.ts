import type { IODescription, LayerDescription } from '../../tensorrt/describe/describe.js';
import type { EngineDifference, LayerChange } from '../../tensorrt/describe/diff.js';
import { formatShape, type Shape } from '../../values/dim.js';
import { engineText } from '../engine-text.js';
import type { Inspected, NetworkLayer } from './inspected.js';
import { colors, escapeForTerminal, figure, size, table } from './output.js';

const milliseconds = (ms: number | undefined): string => (ms === undefined ? '' : figure(Number(ms.toPrecision(4))));
const typeText = ({ dtype, shape }: { dtype?: string | undefined; shape?: Shape | undefined }): string =>
  `${dtype ?? ''}${shape ? formatShape(shape) : ''}`;
const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** What `inspect` prints of one file. */
export function inspectedText(found: Inspected): string {
  const { format, plan, metadata, unread } = found;
  if (unread && format && plan) {
    const why = escapeForTerminal(`Layers are not known: ${unread}`);
    return [headText(found), engineText({ format, plan, metadata }), profilesText(found), why].join('\n\n');
  }
  const parts = [headText(found), ioText(found), profilesText(found)];
  if (found.layers) parts.push(networkText(found.layers));
  if (found.description) parts.push(layersText(found), summaryText(found.description.layers));
  return parts.filter((part) => part !== '').join('\n\n');
}

function headText(found: Inspected): string {
  const { file, kind, name, library, memorySizes, weightStreaming, description } = found;
  const what = { network: 'network', engine: 'engine', information: 'description of an engine' }[kind];
  const lines = [colors.bold(escapeForTerminal(`${file}: ${what}${name === undefined ? '' : ` '${name}'`}`))];
  if (library) lines.push(`library   ${library.flavor} ${library.version}`);
  if (found.size !== undefined) lines.push(`size      ${size(found.size)}`);
  if (memorySizes)
    lines.push(
      `memory    ${memorySizes.map(size).join(', ')} of activations${memorySizes.length > 1 ? ', per profile' : ''}`,
    );
  if (weightStreaming) lines.push(`streamed  ${size(weightStreaming.size)} of weights`);
  if (found.metadata && !found.unread) lines.push('metadata  node-tensorrt engine metadata shows it');
  const verbosity = {
    none: 'no layers: built with profilingVerbosity none',
    names: 'names only; profilingVerbosity detailed has more',
    detailed: '',
  };
  if (description) lines.push(`layers    ${description.layers.length} ${verbosity[description.verbosity]}`.trimEnd());
  return lines.join('\n');
}

function ioText({ inputs, outputs, description }: Inspected): string {
  const rows = inputs
    ? [
        ...inputs.map((one) => ['input', one.name, typeText(one), remarks(one.note, one.values && computed)]),
        ...(outputs ?? []).map((one) => ['output', one.name, typeText(one), remarks(one.note)]),
      ]
    : (description?.io ?? []).map((one) => [one.mode ?? 'input or output', one.name, typeText(one), remarksOn(one)]);
  return rows.length === 0 ? '' : table(['', 'tensor', 'type', ''], rows, { breaks: [1, 2, 3] });
}

const computed = 'shapes are computed from it';
const remarks = (...all: (string | false | undefined)[]): string => all.filter(Boolean).join(', ');
const remarksOn = ({ isShapeTensor, location, format }: IODescription): string =>
  remarks(isShapeTensor && computed, location === 'Host' && 'in host memory', format);

function profilesText({ profiles, description }: Inspected): string {
  const rows = profiles
    ? profiles.flatMap((profile, i) =>
        Object.entries(profile).map(([name, { min, opt, max }]) => [
          i,
          name,
          formatShape(min),
          formatShape(opt),
          formatShape(max),
        ]),
      )
    : (description?.io ?? []).flatMap(({ name, profiles = [] }) =>
        profiles.map(({ min, opt, max }, i) => [i, name, formatShape(min), formatShape(opt), formatShape(max)]),
      );
  return rows.length === 0 ? '' : table(['profile', 'input', 'min', 'opt', 'max'], rows, { breaks: [1] });
}

function networkText(layers: readonly NetworkLayer[]): string {
  const rows = layers.map(({ name, kind, outputs, weights, inner }) => [
    name,
    inner > 0 ? `${kind}, ${count(inner, 'layer')} inside` : kind,
    outputs.map(typeText).join(', '),
    weights.count === 0 ? '' : weights.count,
    weights.bytes === 0 ? '' : size(weights.bytes),
  ]);
  return table(['layer', 'kind', 'output', 'weights', 'bytes'], rows, { breaks: [0, 2], right: [3, 4] });
}

/** The network's layers that one of an engine stands for. */
function fusedText({ layers, isRange, reformats, name }: LayerDescription): string {
  if (reformats !== undefined) return `reformats for ${reformats}`;
  if (layers.length === 0) return name;
  return isRange ? `${layers[0]} … ${layers[1]}` : layers.join(' + ');
}

const kernelText = ({ kernel, tactic }: LayerDescription): string => kernel ?? tactic ?? '';

function layersText({ description, times }: Inspected): string {
  const { layers, verbosity } = description!;
  if (layers.length === 0) return '';
  const ms = new Map(times?.map((one) => [one.name, one.ms]));
  const timed = times ? [(layer: LayerDescription) => milliseconds(ms.get(layer.name))] : [];
  const detailed = verbosity === 'detailed';
  const rows = layers.map((layer, i) => [
    i,
    fusedText(layer),
    ...(detailed ? [layer.type ?? '', layer.precision ?? '', kernelText(layer)] : []),
    ...timed.map((text) => text(layer)),
  ]);
  const head = ['', 'layers', ...(detailed ? ['type', 'precision', 'kernel'] : []), ...(times ? ['ms'] : [])];
  return table(head, rows, { breaks: detailed ? [1, 4] : [1], right: [0, ...(times ? [head.length - 1] : [])] });
}

function summaryText(layers: readonly LayerDescription[]): string {
  const tally = (text: (layer: LayerDescription) => string | undefined) => {
    const counts = new Map<string, number>();
    for (const layer of layers) counts.set(text(layer) ?? '', (counts.get(text(layer) ?? '') ?? 0) + 1);
    counts.delete('');
    return [...counts].sort(([, a], [, b]) => b - a).map(([name, n]) => `${n} ${name}`);
  };
  const fused = layers.filter((layer) => layer.layers.length > 1).length;
  const copies = layers.filter(({ reformats }) => reformats !== undefined).length;
  const lines = [
    `${fused} of ${count(layers.length, 'layer')} fused, ${count(copies, 'copy')} to change formats`.replace(
      'copys',
      'copies',
    ),
  ];
  const [types, precisions] = [tally(({ type }) => type), tally(({ precision }) => precision)];
  if (types.length > 0) lines.push(`types: ${types.join(', ')}`);
  if (precisions.length > 0) lines.push(`precisions: ${precisions.join(', ')}`);
  return lines.map(escapeForTerminal).join('\n');
}

const percent = (a: number, b: number): string =>
  a > 0 ? ` (${b >= a ? '+' : ''}${((100 * (b - a)) / a).toFixed(1)} %)` : '';

/** What `inspect` prints of two engines. */
export function diffText(a: string, b: string, found: EngineDifference): string {
  const lines = [`A: ${escapeForTerminal(a)}`, `B: ${escapeForTerminal(b)}`, ''];
  lines.push(`layers    A ${found.counts.a}, B ${found.counts.b}; ${found.unchanged.length} are the same`);
  if (found.size)
    lines.push(`size      A ${size(found.size.a)}, B ${size(found.size.b)}${percent(found.size.a, found.size.b)}`);
  if (found.memorySizes) {
    const { a, b } = found.memorySizes;
    lines.push(`memory    A ${a.map(size).join(', ')}, B ${b.map(size).join(', ')}`);
  }
  if (found.totalMs) {
    const { a, b } = found.totalMs;
    lines.push(`time      A ${milliseconds(a)} ms, B ${milliseconds(b)} ms${percent(a, b)}`);
  }
  if (found.io.length > 0) {
    const side = (one: IODescription | undefined) => (one ? typeText(one) || one.name : 'none');
    lines.push(
      '',
      table(
        ['input or output', 'A', 'B'],
        found.io.map(({ name, a, b }) => [name, side(a), side(b)]),
      ),
    );
  }
  if (found.layers.length > 0) {
    const timed = found.layers.some(({ ms }) => ms);
    const head = ['change', 'A', 'B', ...(timed ? ['A ms', 'B ms'] : [])];
    const rows = found.layers.map((change) => [
      change.changes.join(', '),
      sideText(change, 'a'),
      sideText(change, 'b'),
      ...(timed ? [milliseconds(change.ms?.a), milliseconds(change.ms?.b)] : []),
    ]);
    lines.push('', table(head, rows, { breaks: [1, 2], right: timed ? [3, 4] : [] }));
  }
  lines.push('', found.same ? colors.green('The engines have the same layers.') : colors.red('The engines differ.'));
  return lines.join('\n');
}

function sideText({ changes, ...sides }: LayerChange, side: 'a' | 'b'): string {
  return sides[side]
    .map((layer) => {
      const detail = [
        changes.includes('kernel') || changes.includes('fused') ? kernelText(layer) : '',
        changes.includes('precision') ? (layer.precision ?? '') : '',
        changes.includes('type') ? (layer.type ?? '') : '',
        changes.includes('format') ? formatsOf(layer) : '',
      ].filter((one) => one !== '');
      return [`[${fusedText(layer)}]`, ...detail].join(' ');
    })
    .join('; ');
}

const formatsOf = ({ inputs, outputs }: LayerDescription): string =>
  [...new Set([...inputs, ...outputs].map(({ format }) => format ?? '?'))].join(', ');
