import { show, TensorRTError } from '../../errors/error.js';

/** Of what a process printed, so many letters are kept. */
export const mostSaid = 2000;

/** How a process ended that was not told to. */
export interface Death {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What it printed last. */
  words: string;
  /** Completes "the process ended while …". */
  doing: string;
  /** Bytes that were resident when somebody looked last; 0 if nobody did. */
  resident: number;
}

const crashes: readonly string[] = ['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGABRT', 'SIGTRAP', 'SIGSYS'];

/** `1.5 GiB`, `300 MiB` */
export function sizeText(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  return mebibytes < 1024 ? `${Math.round(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

/** The error for a build whose process has ended. */
export function deathOf({ code, signal, words, doing, resident }: Death): TensorRTError {
  const lines = words.trim().split('\n').slice(-8).join('\n').trim();
  const said = lines && `; it printed: ${show(lines)}`;
  if (signal && crashes.includes(signal)) {
    const said_ = `TensorRT crashed while ${doing} (${signal}); the process of that build has ended, and the next one gets another`;
    return new TensorRTError('ERR_TENSORRT_CRASHED', said_ + said);
  }
  const memory = resident > 0 ? `; it used ${sizeText(resident)} of memory shortly before` : '';
  const killed = signal === 'SIGKILL' ? ': by the system, if memory ran out, or by somebody' : '';
  const how = signal ? `was ended by ${signal}${killed}` : `ended itself with code ${code}`;
  return new TensorRTError('ERR_BUILD_PROCESS', `the process of the build ${how}, while ${doing}${memory}${said}`, {
    actual: signal ?? code,
  });
}
