import { readdirSync, readFileSync } from 'node:fs';
import { layerTable } from '../layers/table.js';

/** A method made of layers, as `node-tensorrt layers --modules --json` prints it. */
export interface ModuleSummary {
  /** Of tensors and networks. */
  method: string;
  /** What its JSDoc says about it. */
  about: string;
  /** Layer kinds it is made of, those that its JSDoc names. */
  kinds: string[];
}

// The package ships its sources, so the comments there are the one place where methods are described.
const sources = new URL('../modules/', import.meta.url);
const documentedMethod = /^ {2}\/\*\*((?:(?!\*\/).)*)\*\/\n {2}(\w+)(?:<.*?>)?\(\s*this: /gms;

function summary(comment: string, method: string): ModuleSummary {
  const text = comment
    .replace(/^ *\* ?/gm, '')
    .replace(/^@.*/ms, '')
    .replace(/```.*?```/gs, '')
    .replace(/\s+/g, ' ')
    .trim();
  const [about = '', made = ''] = text.split(/ ?TensorRT kinds?: /);
  const words = made.split(/\W+/);
  const kinds = layerTable.map(({ definition }) => definition.kind).filter((kind) => words.includes(kind));
  return { method, about, kinds: kinds.sort((a, b) => words.indexOf(a) - words.indexOf(b)) };
}

/** Every method of src/modules, by name. */
export function moduleList(): ModuleSummary[] {
  return readdirSync(sources)
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      Array.from(readFileSync(new URL(file, sources), 'utf8').matchAll(documentedMethod), ([, comment, method]) =>
        summary(comment!, method!),
      ),
    )
    .sort((a, b) => (a.method < b.method ? -1 : 1));
}
