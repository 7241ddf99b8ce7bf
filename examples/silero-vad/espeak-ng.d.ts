/** eSpeak NG compiled to WebAssembly; the npm package has no types. */
declare module 'espeak-ng' {
  export default function espeak(options: { arguments: string[] }): Promise<{
    FS: { readFile(path: string): Uint8Array };
  }>;
}
