import { fileURLToPath } from 'node:url';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export const root = at('../../');
/** What VitePress reads. Written by every build, never by hand. */
export const pages = at('../pages/');
export const dist = at('../dist/');
export const site = at('../');
