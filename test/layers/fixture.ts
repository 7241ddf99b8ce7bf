import { readFileSync } from 'node:fs';
import { type DType, type TypedArray, viewAs } from '../../src/values/dtype.js';

/** A tensor in a fixture. */
export interface Stored {
  name?: string;
  dtype: DType;
  shape: number[];
  data: TypedArray;
}

export interface StoredCase {
  inputs: Record<string, Stored>;
  weights: Record<string, Stored>;
  outputs: Stored[];
}

const dtypes: Record<string, DType> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};

/** Reads fixtures/KIND.safetensors in test/layers or test/modules, which fixtures/KIND.py wrote. It has its own reader, so that the infer tier needs no addon. */
export function readFixture(kind: string, area: 'layers' | 'modules' = 'layers'): Map<string, StoredCase> {
  const bytes = readFileSync(new URL(`../${area}/fixtures/${kind}.safetensors`, import.meta.url));
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const cases = new Map<string, StoredCase>();
  for (const [
    path,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of Object.entries(header)) {
    const [name, group, key] = path.split('/') as [string, 'in' | 'w' | 'out', string];
    const stored = cases.get(name) ?? { inputs: {}, weights: {}, outputs: [] };
    cases.set(name, stored);
    const slice = new Uint8Array(bytes.subarray(8 + length + from, 8 + length + to));
    const tensor: Stored = { dtype: dtypes[dtype]!, shape, data: viewAs(dtypes[dtype]!, slice) };
    if (group === 'in') stored.inputs[key] = tensor;
    else if (group === 'w') stored.weights[key] = { ...tensor, name: `${name}.${key}` };
    else stored.outputs[Number(key)] = tensor;
  }
  return cases;
}
