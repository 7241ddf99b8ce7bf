import type { Command, Option } from 'commander';
import { programWith } from '../../src/cli/program.js';
import { buildGroup } from '../../src/cli/shared/build-flags.js';

const marker = '<!-- What follows is made by npm run docs:command-line. -->';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

function optionRow(option: Option): string {
  const initial = option.defaultValue;
  const shown = initial === undefined || initial === false || (option.negate && initial === true) || isEmpty(initial);
  const about = shown
    ? option.description
    : `${option.description} (default ${Array.isArray(initial) ? initial.join(',') : initial})`;
  const choices = option.argChoices ? ` (${option.argChoices.join(', ')})` : '';
  return `| ${code(option.flags)} | ${cell(about + choices)} |`;
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** The text behind a command's options. */
function textAfter(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (one) => (text += one) });
  command.outputHelp();
  return text.slice(text.lastIndexOf('\nExamples:') + 1).startsWith('Examples:')
    ? text.slice(text.lastIndexOf('\nExamples:') + 1)
    : '';
}

function sectionOf(command: Command, path: string, depth: number): string[] {
  const lines = [
    `${'#'.repeat(depth)} ${path}`,
    '',
    `${command.description()}.`,
    '',
    '```',
    `${path} ${command.usage()}`,
    '```',
    '',
  ];
  const { registeredArguments } = command;
  if (registeredArguments.length > 0) {
    lines.push('| argument | |', '| --- | --- |');
    for (const one of registeredArguments) lines.push(`| ${code(one.name())} | ${cell(one.description)} |`);
    lines.push('');
  }
  const groups = grouped(command.options.filter((option) => !option.hidden));
  for (const [heading, options] of groups) {
    if (heading === buildGroup && command.name() !== 'build') {
      lines.push('Of a module: the build options of `build`, too.', '');
      continue;
    }
    if (heading) lines.push(`${heading.replace(/:$/, '')}:`, '');
    lines.push('| option | |', '| --- | --- |', ...options.map(optionRow), '');
  }
  const after = textAfter(command);
  if (after) lines.push('```', after.trimEnd(), '```', '');
  for (const one of command.commands) lines.push(...sectionOf(one, `${path} ${one.name()}`, depth + 1));
  return lines;
}

function grouped(options: readonly Option[]): Map<string | undefined, Option[]> {
  const groups = new Map<string | undefined, Option[]>();
  for (const option of options)
    groups.set(option.helpGroupHeading, [...(groups.get(option.helpGroupHeading) ?? []), option]);
  return groups;
}

/** The page, with every command as its `--help` has it, behind what stands there by hand. */
export async function commandLinePage(page: string): Promise<string> {
  const program = await programWith(undefined);
  const byHand = page.slice(0, page.indexOf(marker));
  const sections = program.commands.flatMap((command) => sectionOf(command, `node-tensorrt ${command.name()}`, 2));
  return `${byHand}${marker}\n\n${sections.join('\n').trimEnd()}\n`;
}
