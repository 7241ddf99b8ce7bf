import { z } from 'zod';
import { issueFacts, type SchemaIssue } from '../errors/schema-issue.js';
import type { NetworkJSON } from './ir.js';

const id = z.int().nonnegative();
const value = z.object({
  id,
  dtype: z.string(),
  shape: z.array(z.union([z.int(), z.string()])),
});
const traits = { formats: z.array(z.string()).optional(), note: z.string().optional() };
const graph = z.object({
  inputs: z.array(value.extend({ name: z.string(), ...traits })),
  get nodes() {
    return z.array(node);
  },
  outputs: z.array(z.object({ id, name: z.string(), ...traits })),
});
const node = z.object({
  kind: z.string(),
  name: z.string(),
  inputs: z.array(id.nullable()),
  weights: z.record(z.string(), id),
  params: z.record(z.string(), z.unknown()),
  outputs: z.array(value),
  bodies: z.record(z.string(), graph).optional(),
});
const network = graph.extend({
  name: z.string(),
  debug: z.array(id).optional(),
  weights: z.array(
    z.object({
      id,
      dtype: z.string(),
      shape: z.array(z.int().nonnegative()),
      name: z.string().optional(),
      data: z.string().optional(),
    }),
  ),
});

/** Where a value stands, e.g. `nodes[3].inputs`. */
const placeOf = (path: readonly PropertyKey[]): string =>
  path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`)).join('');

/**
 * A copy of the parts of a network's JSON that are read, each of the right kind. Getters are read once.
 * @param refuse throws an error that says where something else stands
 */
export function parseNetworkJSON(json: unknown, refuse: (message: string) => never): NetworkJSON {
  const parsed = network.safeParse(json, { jitless: true });
  if (parsed.success) return parsed.data as unknown as NetworkJSON;
  const issue = parsed.error.issues[0] as SchemaIssue;
  return refuse(`${placeOf(issue.path)}: ${issueFacts(issue, json).said}`);
}
