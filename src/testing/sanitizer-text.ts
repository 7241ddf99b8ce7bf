import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Definition } from '../plugin/definition.js';
import type { Finding, Frame } from './sanitizer-output.js';

/** A finding in words: what, then every place with its line of source, then details. */
export async function findingText(finding: Finding, definition: Definition): Promise<string> {
  const { what, frames, details, count } = finding;
  const places = await Promise.all(frames.map((frame, i) => placeText(frame, i, definition)));
  const times = count > 1 ? `${count} reports of the same, the first ${details.join(', ')}` : details.join(', ');
  return [what, ...places.flat(), ...(times ? [`  ${times}`] : [])].join('\n');
}

async function placeText(
  { function: name, file, line, access }: Frame,
  index: number,
  definition: Definition,
): Promise<string[]> {
  const how = access ? `${access} access ` : index > 0 ? 'called ' : '';
  if (file === undefined || line === undefined) return [`  ${how}in ${name}, of which no lines are known`];
  const source = await lineOf(file, line, definition);
  return [`  ${how}at ${source.file}:${line} in ${name}`, ...(source.text ? [`    ${line} | ${source.text}`] : [])];
}

/** A line of CUDA. Source that the definition has as a string goes by the plugin's name; the path of the definition tells more. */
async function lineOf(
  file: string,
  line: number,
  { cuda, name, source }: Definition,
): Promise<{ file: string; text?: string | undefined }> {
  const isOwn = 'source' in cuda && basename(file) === `${name}.cu`;
  const text = isOwn ? cuda.source : await readFile(file, 'utf8').catch(() => '');
  const shown = isOwn && source ? `${name}.cu, the CUDA source in ${source.file}:${source.line}, line` : file;
  return { file: shown, text: text.split('\n')[line - 1]?.trim() };
}
