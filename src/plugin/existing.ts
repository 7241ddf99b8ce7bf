import { TensorRTError } from '../errors/error.js';
import { type Dim, isStatic, type Shape, unknownDim } from '../values/dim.js';
import type { DType } from '../values/dtype.js';
import { type FieldData, type PluginOutputs, pluginBinding } from './binding.js';
import { knownCreators, nameOfCreator } from './creators.js';
import { refusePlugin } from './fault.js';
import type { Expression } from './recipe.js';
import { combine, dimReader, type Operand } from './sizes.js';

/** A use of an existing creator. Shape inputs are the last inputs. */
export interface ExistingRequest {
  name: string;
  version: string;
  namespace: string;
  fields: readonly FieldData[];
  inputs: readonly { dtype: DType; shape: Shape }[];
  shapeInputs: number;
}

/** An output of an existing plugin, in the network's dims. */
export interface ExistingOutput {
  /** Its dtype. */
  dtype: DType;
  /** Its shape, with names and expressions for dynamic dims. */
  shape: readonly Dim[];
}

const orOutputs = 'give outputs: [{ dtype, shape }]';

/** What the plugin itself says, in expressions. */
function ask(library: string, request: ExistingRequest): PluginOutputs {
  const inputs = request.inputs.map(({ dtype, shape }) => ({
    dtype,
    shape: shape.map((dim) => (isStatic(dim) ? dim : -1)),
  }));
  try {
    return pluginBinding().describePlugin(library, { ...request, inputs });
  } catch (error) {
    if (error instanceof TensorRTError) throw error;
    const { code = 'ERR_INTERNAL', message, log } = error as Error & { code?: string; log?: string[] };
    const help =
      code === 'ERR_PLUGIN' || code === 'ERR_TENSORRT_CRASHED' ? `; if it needs a GPU to say so, ${orOutputs}` : '';
    throw new TensorRTError(code, message + help, { log, cause: error });
  }
}

/** The network's dim for every expression. */
function dimsOf(expressions: readonly Expression[], { name, inputs }: ExistingRequest): Dim[] {
  const run = {};
  const operands: Operand[] = [];
  for (const one of expressions) {
    switch (one.op) {
      case 'constant':
        operands.push(Number(one.value));
        break;
      case 'dim':
        operands.push({ ...one, text: name, dim: inputs[one.input]!.shape[one.axis]!, run });
        break;
      case 'value':
        operands.push({ ...one, text: name, dim: unknownDim(name), run });
        break;
      case 'size':
        operands.push({ ...one, opt: 0, upper: 0, text: name, dim: unknownDim(name), run });
        break;
      default:
        operands.push(combine(one.op, operands[one.a]!, operands[one.b]!));
    }
  }
  return operands.map(dimReader());
}

/**
 * The outputs of an existing plugin, as it says them itself. It is made by its creator for this, on a thread of its own.
 * @throws ERR_PLUGIN if it refuses fields or inputs, or no TensorRT is loaded; ERR_TENSORRT_CRASHED if it crashes
 */
export function describeExisting(request: ExistingRequest): ExistingOutput[] {
  const known = knownCreators();
  if (!known) {
    return refusePlugin(
      `plugin ${nameOfCreator(request)}: no TensorRT is loaded that knows its outputs: ${orOutputs}, or await loadPluginLibrary() first`,
    );
  }
  const { outputs, expressions } = ask(known.library, request);
  const dims = dimsOf(expressions, request);
  return outputs.map(({ dtype, dims: indices }, i) => ({
    dtype,
    shape: indices.map((index) => {
      const dim = dims[index]!;
      if (isStatic(dim) && !(Number.isSafeInteger(dim) && dim >= 0)) {
        return refusePlugin(`plugin ${nameOfCreator(request)}: output ${i} has a size of ${dim} for these inputs`);
      }
      return dim;
    }),
  }));
}
