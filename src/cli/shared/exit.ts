import { constants } from 'node:os';
import { type Command, type CommanderError, InvalidArgumentError } from 'commander';
import { TensorRTError } from '../../errors/error.js';
import { suggestion } from '../../errors/nearest.js';
import { endLive } from './live.js';
import { errorColors, escapeForTerminal, note } from './output.js';

/** What every command exits with. */
export const exitCodes = {
  ok: 0,
  /** What was asked differs or failed. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** By SIGINT; 128 and its number for another signal, as shells count. */
  interrupted: 130,
} as const;

/** Ends the command with exit code 2: what was given on the command line does not fit. */
export class UsageError extends Error {}

/** For `parseArg` of commander, which names the option before the message. */
export function refuseArgument(expected: string, given: string): never {
  throw new InvalidArgumentError(`Expected ${expected}, given ${escapeForTerminal(JSON.stringify(given))}.`);
}

/** The end of each command's `--help`. */
export function exitHelp(failed = 'failed'): string {
  const { ok, failed: one, usage, interrupted } = exitCodes;
  return `\nExit codes: ${ok} ok, ${one} ${failed}, ${usage} wrong usage, ${interrupted} interrupted.`;
}

/** The `Examples:` and exit codes behind a command's options. */
export function addExamples(
  command: Command,
  examples: readonly (readonly [line: string, about: string])[],
  failed?: string,
): Command {
  const lines = examples.flatMap(([line, about]) => [`  ${line}`, `      ${about}`]);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}\n${exitHelp(failed)}`);
}

function exitByCommander({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? exitCodes.ok : exitCodes.usage);
}

/** In one line: the help is longer than a screen. */
function refuseCommand(command: Command, path: string, name: string): never {
  const close = suggestion(
    name,
    command.commands.map((one) => one.name()),
  );
  throw new UsageError(`unknown command '${name}'${close || ';'} ${path} --help lists the commands`);
}

/**
 * Commander's errors are wrong usage, of subcommands too. They name the page that helps, which for some commands is longer than a screen.
 * @param path how the command is called
 */
export function endAsDocumented(command: Command, path: string = command.name()): Command {
  command.exitOverride(exitByCommander).showHelpAfterError(`Run ${path} --help for its options.`);
  if (command.commands.length > 0) command.on('command:*', ([name]: [string]) => refuseCommand(command, path, name));
  for (const one of command.commands) endAsDocumented(one, `${path} ${one.name()}`);
  return command;
}

/** A signal of the system that ended a command. */
let ended: NodeJS.Signals | undefined;

/** Ends what is under way at the first SIGINT, SIGTERM or SIGHUP, and the process at the second. */
export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** To hand to what can be aborted. Until it is disposed, signals abort it instead of killing the process. */
export function interruption(): Interruption {
  const controller = new AbortController();
  const listener = (name: NodeJS.Signals) => {
    if (ended) {
      endLive();
      // At the exit, the addon waits for what TensorRT is doing.
      process.removeAllListeners('exit');
      process.exit(128 + constants.signals[name]);
    }
    ended = name;
    endLive();
    controller.abort(new TensorRTError('ERR_ABORTED', `ended by ${name}`));
  };
  for (const name of signals) process.on(name, listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of signals) process.off(name, listener);
    },
  };
}

/** Says what went wrong, and returns the exit code for it. */
export function reportError(error: unknown): number {
  endLive();
  if (ended) {
    note(`${errorColors.yellow('interrupted')} by ${ended}`);
    return 128 + constants.signals[ended];
  }
  const isSaid = error instanceof TensorRTError || error instanceof UsageError;
  const text = isSaid ? error.message : ((error as Error)?.stack ?? String(error));
  note(`${errorColors.red('error:')} ${text.split('\n').map(escapeForTerminal).join('\n')}`);
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
}
