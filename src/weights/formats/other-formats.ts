import { asBuffer } from './buffer.js';

/** What people pass instead of weights: where its first bytes are, which ones, and what it is. */
const binaries: readonly [at: number, magic: string, what: string][] = [
  [0, '\x1f\x8b', 'compressed with gzip; decompress it first: gunzip'],
  [0, 'BZh', 'compressed with bzip2; decompress it first: bunzip2'],
  [0, '\xfd7zXZ\0', 'compressed with xz; decompress it first: unxz'],
  [0, '\x28\xb5\x2f\xfd', 'compressed with Zstandard; decompress it first: unzstd'],
  [0, '7z\xbc\xaf\x27\x1c', 'a 7-Zip archive; extract it first'],
  [257, 'ustar', 'a tar archive; extract it first, then load the files in it'],
  [0, '\x89HDF\r\n\x1a\n', 'an HDF5 file, as Keras writes it; save its arrays with numpy.savez, or as safetensors'],
  [0, 'GGUF', 'a GGUF file of llama.cpp, which cannot be read here; use the safetensors file it was made from'],
  [4, 'TFL3', 'a TensorFlow Lite model, whose weights cannot be read here'],
  [0, 'ftrt', 'a TensorRT engine; open it with loadEngine'],
  [0, '\0'.repeat(64), 'not a weight file: it begins with zeros, as an interrupted download or copy does'],
  [0, '\xff\xfe', 'UTF-16 text, as PowerShell writes it; save it as plain ASCII'],
  [0, '\xef\xbb\xbf', 'text that begins with a byte-order mark; save it without'],
  [0, '/annex/objects/', "a git-annex pointer, not the file it stands for: run 'git annex get'"],
];

const lfs = /^version https:\/\/git-lfs\.github\.com\/spec\/(?:[\s\S]*?\nsize (\d{1,15})\r?\n)?/;
const html = /^\s*<(?:!doctype html|html|head|body)\b/i;
const xml = /^\s*<\?xml\b/i;
const printable = /^[\t\r\n\x20-\x7e]+$/;

const formats = 'safetensors, npy, npz, a PyTorch checkpoint, .wts or .index.json';
const shown = 60;

/** Says what a file is that is not a weight file; follows its name in an error. @param size bytes of the file */
export function describeOther(head: Uint8Array, size: number): string {
  if (size === 0) return `an empty file; expected ${formats}`;
  const bytes = asBuffer(head).toString('latin1');
  const binary = binaries.find(([at, magic]) => bytes.startsWith(magic, at));
  if (binary) return binary[2];
  if (isProtobuf(head))
    return 'perhaps an ONNX model, which cannot be read here; save the weights it was exported from';
  const pointer = lfs.exec(bytes);
  if (pointer) {
    const real = pointer[1] ? ` (${pointer[1]} bytes)` : '';
    return `a Git LFS pointer, not the file it stands for${real}: run 'git lfs pull' in the repository`;
  }
  if (html.test(bytes)) return 'an HTML page, not a weight file: the download led to a web page';
  if (xml.test(bytes)) return 'an XML document, not a weight file: the server may have refused the download';
  const [line] = bytes.trimStart().split(/[\r\n]/, 1) as [string];
  const begin = JSON.stringify(line.length > shown ? `${line.slice(0, shown)}…` : line);
  return `no known weight format (${size} bytes${printable.test(bytes) ? `, text that begins ${begin}` : ''}); expected ${formats}`;
}

/** An ONNX model begins with its version (field 1, a small number) and its producer's name (field 2). */
const isProtobuf = (head: Uint8Array): boolean => head[0] === 0x08 && head[1]! < 0x20 && head[2] === 0x12;
