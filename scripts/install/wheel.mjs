import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import { makeFolder } from './files.mjs';

/** Unpacks the files of a wheel whose names match into a folder. yauzl refuses names that lead out of it. */
export async function unpackWheel(wheel, dir, keep = /./) {
  const zip = await openPromise(wheel, { strictFileNames: true, autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/') || !keep.test(entry.fileName)) continue;
      const path = join(dir, entry.fileName);
      makeFolder(dirname(path));
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(path, { flags: 'wx' }));
    }
  } finally {
    zip.close();
  }
}
