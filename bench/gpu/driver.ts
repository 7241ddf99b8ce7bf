import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program that answers each line by a line of JSON. It rests while nothing is asked. */
export class Driver {
  readonly #child: ChildProcess;
  readonly #waiting: { resolve(answer: string): void; reject(error: Error): void }[] = [];
  #ended: Error | undefined;

  constructor(command: string, args: readonly string[] = []) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#waiting.shift()?.resolve(line));
    const end = (error: Error) => {
      this.#ended = error;
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    };
    this.#child.on('error', end);
    this.#child.on('close', (code, signal) => end(new Error(`${command} ended with ${signal ?? code}`)));
    // Told by 'close'.
    this.#child.stdin!.on('error', () => undefined);
  }

  async ask<T = { us: number }>(...words: (string | number)[]): Promise<T> {
    if (this.#ended) throw this.#ended;
    const answer = new Promise<string>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#child.stdin!.write(`${words.join(' ')}\n`);
    const said = JSON.parse(await answer) as T & { error?: string };
    if (said.error) throw new Error(`${words[0]}: ${said.error}`);
    return said;
  }

  /** Closes its input, at which it ends. */
  close(): void {
    this.#child.stdin!.end();
  }
}
