import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { example, runExample } from '../examples/support.js';
import { describeGpu, reportFigure } from './support.js';

const summaryOf = async (path: string, args: string[]) => JSON.parse((await runExample(path, args)).at(-1)!);

const onGpu = () => {
  test('mnist', async () => {
    const { backend, digits, accuracy, maxAbsDiff, engineBytes } = await summaryOf('mnist/main.ts', ['--json']);
    reportFigure('mnist: held-out digits', digits);
    reportFigure('mnist: accuracy', accuracy);
    reportFigure('mnist: largest difference of a logit from PyTorch', maxAbsDiff, 1e-3);
    reportFigure('mnist: bytes of the engine', engineBytes);
    expect(backend).toBe('tensorrt');
    expect(digits).toBeGreaterThanOrEqual(1000);
    expect(accuracy).toBeGreaterThanOrEqual(0.97);
    // float32 without TF32.
    expect(maxAbsDiff).toBeLessThan(1e-3);
  });

  test('charrnn', async () => {
    const file = readFileSync(example('charrnn/reference.json'), 'utf8');
    const { continuations } = JSON.parse(file) as { continuations: { prime: string; text: string }[] };
    const args = ['--json', '--prime', 'ROMEO', '--length', '200'];
    const { backend, text, matchesPyTorch, engineBytes } = await summaryOf('charrnn/main.ts', args);
    reportFigure('charrnn: primes continued as PyTorch did', matchesPyTorch ? continuations.length : 'not all');
    reportFigure('charrnn: bytes of the engine', engineBytes);
    expect(backend).toBe('tensorrt');
    expect(text).toBe(continuations.find(({ prime }) => prime === 'ROMEO')!.text);
    expect(matchesPyTorch).toBe(true);
  });
};

describeGpu('examples on a GPU', onGpu, { suite: 'examples', files: ['examples'] });
