/** A message of NVRTC's. */
export interface CompilerMessage {
  severity: 'error' | 'warning';
  file: string;
  /** From 1 on. */
  line: number;
  /** From 1 on; 1 where the message points at no column. */
  column: number;
  text: string;
  /** The source line and what stands below it, as NVRTC shows them. */
  excerpt: string[];
}

const head = /^(.+)\((\d+)\): (catastrophic error|fatal error|error|warning)(?: #[\w-]+)?\s*: (.*)$/;
/** Where NVRTC puts the names that it was asked for. */
export const nameFile = '__nv_name_map';

/** The errors and warnings in NVRTC's log, in order. */
export function compilerMessages(log: string): CompilerMessage[] {
  const messages: CompilerMessage[] = [];
  let current: CompilerMessage | undefined;
  for (const line of log.split('\n')) {
    const [, file, number, kind, text] = head.exec(line) ?? [];
    if (file !== undefined) {
      const severity = kind === 'warning' ? 'warning' : 'error';
      current = { severity, file, line: Number(number), column: 1, text: text!, excerpt: [] };
      messages.push(current);
    } else if (line.trim() === '') {
      current = undefined;
    } else if (current) {
      const caret = /^(\s*)\^\s*$/.exec(line);
      // NVRTC indents what it quotes by two.
      if (caret && current.excerpt.length > 0) current.column = Math.max(1, caret[1]!.length - 1);
      current.excerpt.push(line.trimEnd());
    }
  }
  return messages;
}

/** What NVRTC says without a place: `nvrtc: error: unrecognized option --foo found`. */
export const compilerComplaints = (log: string): string[] =>
  [...log.matchAll(/^nvrtc: error: (.+(?:\n .+)*)$/gm)].map(([, text]) => text!.replaceAll(/\s*\n\s*/g, ' '));

/** The name expression that an error in NVRTC's own file is about. */
export const expressionAtFault = ({ file, excerpt }: CompilerMessage): string | undefined =>
  file === nameFile ? /#pragma nv_mangled_name (.*)$/.exec(excerpt[0] ?? '')?.[1]?.trim() : undefined;

/** One line for logs: `rms-norm.cu(3): variable "q" was declared but never referenced`. */
export const inOneLine = ({ file, line, text }: CompilerMessage): string => `${file}(${line}): ${text}`;
