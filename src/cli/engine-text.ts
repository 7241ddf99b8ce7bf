import type { EngineMetadata, EngineTensor } from '../tensorrt/files/metadata.js';
import type { EngineFile } from '../tensorrt/files/read.js';
import { size, table } from './shared/output.js';

const formats = {
  plan: "TensorRT's plan, without metadata",
  container: 'container of node-tensorrt',
  ultralytics: "Ultralytics' file",
};

const json = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** What `engine metadata` prints: a table, whose cells are escaped. */
export function engineText({ format, metadata, plan }: EngineFile): string {
  const { header } = plan;
  const rows: [string, string][] = [
    ['format', formats[format]],
    ['plan', `${size(plan.bytes)}, from byte ${plan.offset} on`],
  ];
  if (header) rows.push(['plan built by', releaseText(header.isRtx, header.version)]);
  if (metadata) rows.push(...rowsOf(metadata));
  return table(['field', 'value'], rows);
}

const releaseText = (isRtx: boolean, version: string): string => `${isRtx ? 'TensorRT-RTX' : 'TensorRT'} ${version}`;

function rowsOf(metadata: EngineMetadata): [string, string][] {
  const {
    generator,
    name,
    library,
    gpu,
    options = {},
    inputs = [],
    outputs = [],
    plugins = [],
    graphHash,
    user,
  } = metadata;
  const rows: [string, string | undefined][] = [
    ['written by', generator],
    ['network', name],
    ['library', library && releaseText(library.flavor === 'rtx1', library.version)],
    ['GPU', gpu && `${gpu.name}, compute capability ${gpu.computeCapability}, CUDA ${gpu.driver ?? 'unknown'}`],
    ['graph', graphHash],
    ...inputs.map((one): [string, string] => ['input', tensorText(one)]),
    ...outputs.map((one): [string, string] => ['output', tensorText(one)]),
    ...plugins.map((one): [string, string] => [
      'plugin',
      `${one.name} ${one.version}, code in ${one.library ?? one.code}`,
    ]),
    ...Object.entries(options).map(([option, value]): [string, string] => [
      'option',
      `${option}: ${JSON.stringify(value)}`,
    ]),
    ...Object.entries(user).map(([key, value]): [string, string] => ['user', `${key}: ${json(value)}`]),
  ];
  return rows.flatMap(([label, text]): [string, string][] => (text === undefined ? [] : [[label, text]]));
}

const tensorText = ({ name, dtype, shape, note }: EngineTensor): string =>
  `${name}: ${dtype} [${shape.join(', ')}]${note === undefined ? '' : `, ${note}`}`;
