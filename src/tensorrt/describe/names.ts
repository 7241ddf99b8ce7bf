/** Layers of the network that a layer of the engine was made of, and what it was made for. */
export interface Fusion {
  /** Names of the network's layers, in the order TensorRT gives; the first and the last where it names only these. */
  layers: string[];
  /** Whether TensorRT named only the first and the last of more layers. */
  isRange: boolean;
  /** Whether TensorRT added it to change the format of a tensor, and for which layer. */
  reformats?: string | undefined;
}

const reformat = /^Reformatting CopyNode for (?:Input|Output) Tensor \d+ to (.*)$/;
const profile = / \[profile (\d+)\]$/;

/** The number of the optimization profile at the end of a name, from 0, and the name without it. */
export function withoutProfile(name: string): { name: string; profile: number } {
  const found = profile.exec(name);
  return found ? { name: name.slice(0, found.index), profile: Number(found[1]) } : { name, profile: 0 };
}

/** Splits at separators that stand outside all brackets. */
function parts(text: string): string[] {
  const found: string[] = [];
  let [depth, from] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]!;
    if ('([{'.includes(letter)) depth++;
    else if (')]}'.includes(letter)) depth = Math.max(0, depth - 1);
    else if (depth === 0 && (text.startsWith(' + ', i) || text.startsWith(' || ', i) || text.startsWith(', ', i))) {
      found.push(text.slice(from, i));
      i = text.indexOf(' ', i + 1);
      from = i + 1;
    }
  }
  found.push(text.slice(from));
  return found.map((part) => part.trim()).filter((part) => part !== '');
}

/** Between the layers in metadata: ASCII's record and unit separators. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it matches them on purpose
const separators = /[\u001e\u001f]/;
const wrapper = /^(?:PWN|PointWiseV2|Fused|SoftMaxV2)\((.*)\)$/s;
const region = /^\{?ForeignNode\[(.*)\.\.\.(.*)\]\}?$/s;

function collect(text: string, into: string[]): boolean {
  const inner = region.exec(text);
  if (inner) {
    into.push(inner[1]!, inner[2]!);
    return true;
  }
  const wrapped = wrapper.exec(text);
  if (wrapped) return collect(wrapped[1]!, into);
  const pieces = parts(text);
  if (pieces.length <= 1) {
    if (text !== '') into.push(text);
    return false;
  }
  return pieces.map((piece) => collect(piece, into)).some(Boolean);
}

/**
 * What a name of the engine says: `a + b` and `a || b` for fused layers, `PWN(a, b)` for element-wise ones,
 * `{ForeignNode[a...b]}` for a region from a to b, `Reformatting CopyNode for Input Tensor 0 to a` for a copy.
 * `metadata` counts more: layers made by the compiler of such regions (`__myl_…`) have the network's names there.
 */
export function fusionOf(given: string, metadata?: string): Fusion {
  const { name } = withoutProfile(given);
  const copied = reformat.exec(name);
  const noted = (metadata ?? '')
    .split(separators)
    .map((one) => one.replace(/^\[ONNX Layer: (.*)\]$/s, '$1').trim())
    .filter((one) => one !== '');
  if (copied) return { layers: [], isRange: false, reformats: copied[1]! };
  if (noted.length > 0) return { layers: [...new Set(noted)], isRange: false };
  if (/^__my[ln]/.test(name)) return { layers: [], isRange: false };
  const layers: string[] = [];
  const isRange = collect(name, layers);
  return { layers: [...new Set(layers)], isRange };
}
