import type { CpuAttribute, CpuBody } from '../dsl/define-layer.js';
import { ProtobufWriter } from './protobuf.js';

/** The values of onnx.proto's TensorProto.DataType that the CPU backend uses. */
export const onnxTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
  float8e4m3: 17,
} as const;
export type OnnxType = keyof typeof onnxTypes;

/** Numbers are INT; `{ float }` is FLOAT, `{ floats }` FLOATS. */
export type OnnxAttribute = Exclude<CpuAttribute, CpuBody> | { readonly graph: OnnxGraph };

export interface OnnxNode {
  op: string;
  name: string;
  /** '' for an absent optional input. */
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxTensor {
  name: string;
  type: OnnxType;
  shape: readonly number[];
  /** Little-endian elements, or the name of a file passed with the model. */
  data: Uint8Array | { file: string; length: number };
}

interface OnnxValue {
  name: string;
  /** Absent if it follows from the graph. */
  type?: OnnxType;
  /** Absent to declare only the element type. */
  shape?: readonly (number | string)[];
}

export interface OnnxGraph {
  name: string;
  nodes: OnnxNode[];
  inputs: OnnxValue[];
  outputs: OnnxValue[];
  /** Element types of values between nodes, which the reader checks. */
  values: OnnxValue[];
  initializers: OnnxTensor[];
}

/** ONNX operator set, and the IR version that belongs to it by ONNX's Versioning.md. */
const opset = 24;
const irVersion = 11;

/** Encodes an ONNX ModelProto; the field numbers are onnx.proto's. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  return new ProtobufWriter()
    .int(1, irVersion)
    .string(2, 'node-tensorrt')
    .message(7, (w) => writeGraph(w, graph))
    .message(8, (w) => w.string(1, '').int(2, opset))
    .finish();
}

function writeGraph(w: ProtobufWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) w.message(1, (m) => writeNode(m, node));
  w.string(2, graph.name);
  for (const tensor of graph.initializers) w.message(5, (m) => writeTensor(m, tensor));
  for (const value of graph.inputs) w.message(11, (m) => writeValue(m, value));
  for (const value of graph.outputs) w.message(12, (m) => writeValue(m, value));
  for (const value of graph.values) w.message(13, (m) => writeValue(m, value));
}

function writeNode(w: ProtobufWriter, node: OnnxNode): void {
  for (const input of node.inputs) w.string(1, input);
  for (const output of node.outputs) w.string(2, output);
  w.string(3, node.name).string(4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) w.message(5, (m) => writeAttribute(m, name, value));
}

function writeAttribute(w: ProtobufWriter, name: string, value: OnnxAttribute): void {
  w.string(1, name);
  if (typeof value === 'string') {
    w.string(4, value).int(20, 3);
  } else if (typeof value === 'number' || typeof value === 'boolean') {
    w.int(3, Number(value)).int(20, 2);
  } else if ('float' in value) {
    w.float(2, value.float).int(20, 1);
  } else if ('floats' in value) {
    for (const v of value.floats) w.float(7, v);
    w.int(20, 6);
  } else if ('graph' in value) {
    w.message(6, (m) => writeGraph(m, value.graph)).int(20, 5);
  } else {
    for (const v of value) w.int(8, v);
    w.int(20, 7);
  }
}

function writeTensor(w: ProtobufWriter, { name, type, shape, data }: OnnxTensor): void {
  for (const dim of shape) w.int(1, dim);
  w.int(2, onnxTypes[type]).string(8, name);
  if (data instanceof Uint8Array) {
    w.bytes(9, data);
  } else {
    for (const [key, value] of Object.entries({ location: data.file, offset: '0', length: `${data.length}` })) {
      w.message(13, (m) => m.string(1, key).string(2, value));
    }
    w.int(14, 1);
  }
}

function writeValue(w: ProtobufWriter, { name, type, shape }: OnnxValue): void {
  w.string(1, name);
  if (!type) return;
  w.message(2, (typeProto) =>
    typeProto.message(1, (tensor) => {
      tensor.int(1, onnxTypes[type]);
      if (!shape) return;
      tensor.message(2, (s) => {
        for (const dim of shape) {
          s.message(1, (d) => (typeof dim === 'number' ? d.int(1, dim) : d.string(2, dim)));
        }
      });
    }),
  );
}
