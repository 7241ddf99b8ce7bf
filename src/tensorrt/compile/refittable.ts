import type { Snapshot } from '../../dsl/snapshot.js';
import { TensorRTError } from '../../errors/error.js';
import { nearest } from '../../errors/nearest.js';
import { sourcesOf } from '../../values/recipe.js';

/** Whether the network has the weights that are to be refittable. @throws ERR_BUILD_OPTION */
export function checkRefittable(
  { name: network, weights }: Snapshot,
  names: true | readonly string[] | undefined,
): void {
  if (!names || names === true) return;
  const known = new Set<string>();
  for (const { name, origin } of weights) {
    if (name !== undefined) known.add(name);
    if (origin) for (const { source } of sourcesOf(origin.recipe).values()) known.add(source);
  }
  for (const name of names) {
    if (known.has(name)) continue;
    const near = nearest(name, known);
    const hint = near.length > 0 ? `; did you mean '${near.join("' or '")}'?` : '';
    throw new TensorRTError('ERR_BUILD_OPTION', `network '${network}' has no weights named '${name}'${hint}`, {
      method: 'build options',
      option: 'refitIndividual',
    });
  }
}
