// The speeds that gpt2_torch.py found, as rows of the report.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDecoding, sameAs } from './cells.js';
import { section, work } from './report.js';

const { tokens: expected } = readDecoding();
const add = await section('gpt2-torch', {
  title: 'GPT-2 small by PyTorch',
  note: 'The same weights, prompt and steps in transformers, in a process of its own; medians of 5. For scale: the runs do not alternate with ours.',
  head: ['dtype', 'who', 'tokens/s', 'as PyTorch in float32'],
});
for (const line of readFileSync(join(work, 'gpt2-torch.jsonl'), 'utf8').trim().split('\n')) {
  const row = JSON.parse(line) as { dtype: string; who: string; perSecond: number; tokens: number[] };
  add(row.dtype, row.who, row.perSecond.toFixed(0), sameAs(expected, row.tokens));
}
