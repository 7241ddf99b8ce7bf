import { compareModels, loadWeights, Network } from 'node-tensorrt';
import { expect, test } from 'vitest';
import { bert } from '../../examples/bert/network.js';
import { filesOf } from '../../examples/run.js';

test('finds a wrong epsilon deep in BERT, exactly', async () => {
  using weights = await loadWeights(filesOf('bert').weights);
  using reference = await loadWeights(filesOf('bert').reference);
  const right = bert(weights, { layers: 3, heads: 4, eps: 1e-12 }, 'float32');
  const json = right.toJSON();
  const faulty = json.nodes.filter(({ kind }) => kind === 'normalization')[4]!;
  faulty.params.eps = 1e-3;
  const wrong = Network.fromJSON(JSON.parse(JSON.stringify(json)), weights.as('float32'));
  const feeds = Object.fromEntries(
    ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => [
      name,
      reference.get(`sentences.${name}`).as('int32'),
    ]),
  );
  const steps: string[] = [];
  const options = { backend: 'cpu' } as const;
  const { agrees, bisection } = await compareModels(
    { network: right, options },
    { network: wrong, options },
    { feeds, bisect: true, onStep: (text) => steps.push(text) },
  );
  expect(agrees).toBe(false);
  expect(steps.length).toBe(5);
  expect(bisection).toMatchObject({ method: 'marked', vanished: false, confirmed: true, stretch: [faulty.name] });
  expect(bisection!.first).toMatchObject({
    name: faulty.name,
    kind: 'normalization',
    differences: [{ name: 'eps', a: Math.fround(1e-12), b: Math.fround(1e-3) }],
  });
});
