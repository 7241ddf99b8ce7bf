import { show } from '../errors/error.js';
import type { ResolvedOptions } from './options.js';
import type { Subject } from './subject.js';

/** The call that tests one case alone. */
export function againText({ definition, one, types }: Subject, { seed }: Pick<ResolvedOptions, 'seed'>): string {
  const inputs = Object.entries(one.inputs).map(([name, { shape, range, data }]) => {
    const sizes = `[${shape.join(', ')}]`;
    if (!range && !data) return `${name}: ${sizes}`;
    const rest = [...(range ? [`range: [${range.join(', ')}]`] : []), ...(data ? ['data: the same'] : [])];
    return `${name}: { shape: ${sizes}, ${rest.join(', ')} }`;
  });
  const values = Object.entries(one.shapeInputs).map(
    ([name, value]) => `${name}: ${Array.isArray(value) ? `[${value.join(', ')}]` : value}`,
  );
  const attributes = Object.keys(one.attributes).length > 0 ? `, attributes: ${show(one.attributes)}` : '';
  const shapeInputs = values.length > 0 ? `, shapeInputs: { ${values.join(', ')} }` : '';
  const row = Object.entries(types)
    .filter(([name]) => definition.inputs.includes(name))
    .map(([name, dtype]) => `${name}: '${dtype}'`);
  return `testPlugin(${definition.name}, { seed: ${seed}, edges: false, types: [{ ${row.join(', ')} }], cases: [{ inputs: { ${inputs.join(', ')} }${shapeInputs}${attributes} }] })`;
}
