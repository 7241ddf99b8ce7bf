import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename } from 'node:path';
import { SetupError } from '../install/process.mjs';
import { isMain } from '../lib/main.mjs';

const upstream = 'https://registry.npmjs.org';
const digest = (algorithm, bytes, encoding) => createHash(algorithm).update(bytes).digest(encoding);

/** package.json of a tarball. */
export function manifestOf(tarball) {
  const { status, stdout, stderr } = spawnSync('tar', ['-xOzf', tarball, 'package/package.json'], { encoding: 'utf8' });
  if (status !== 0) throw new SetupError(`${tarball} cannot be read: ${stderr}`);
  return JSON.parse(stdout);
}

/** What a registry says of a package that has one version. Its age passes limits on new versions. */
function packument(tarball, origin) {
  const manifest = manifestOf(tarball);
  const { name, version } = manifest;
  const bytes = readFileSync(tarball);
  const dist = {
    tarball: `${origin}/tarballs/${basename(tarball)}`,
    integrity: `sha512-${digest('sha512', bytes, 'base64')}`,
    shasum: digest('sha1', bytes, 'hex'),
  };
  const time = '2020-01-01T00:00:00.000Z';
  return {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist } },
    time: { created: time, modified: time, [version]: time },
  };
}

/** A registry on this machine that has the given tarballs, and what npm's registry has of all other packages. */
export async function serveTarballs(tarballs) {
  const names = new Map(tarballs.map((tarball) => [manifestOf(tarball).name, tarball]));
  const server = createServer(async ({ url, headers }, response) => {
    const path = decodeURIComponent(new URL(url, upstream).pathname).slice(1);
    const file = tarballs.find((one) => path === `tarballs/${basename(one)}`);
    if (file) return createReadStream(file).pipe(response);
    const own = names.get(path);
    if (own) return response.setHeader('content-type', 'application/json').end(JSON.stringify(packument(own, origin)));
    try {
      const accept = headers.accept ?? 'application/json';
      const answer = await fetch(`${upstream}${url}`, { headers: { accept }, signal: AbortSignal.timeout(60_000) });
      const type = answer.headers.get('content-type') ?? 'application/json';
      response.writeHead(answer.status, { 'content-type': type }).end(Buffer.from(await answer.arrayBuffer()));
    } catch (error) {
      response.writeHead(502).end(error.message);
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return { origin, close: () => server.close() };
}

// registry.mjs TARBALL…: until it is ended. Its first line is its address.
if (isMain(import.meta.url)) console.log((await serveTarballs(process.argv.slice(2))).origin);
