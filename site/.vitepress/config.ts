import { readFileSync } from 'node:fs';
import { slug } from 'github-slugger';
import { defineConfig } from 'vitepress';

const sidebar = JSON.parse(readFileSync(new URL('../pages/sidebar.json', import.meta.url), 'utf8'));

/** Two layers, and an arrow through them. */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect x="3" y="5" width="26" height="8" rx="3" fill="#4a8f05"/><rect x="3" y="19" width="26" height="8" rx="3" fill="#86c232"/><path d="M16 13v6" stroke="#4a8f05" stroke-width="3"/></svg>';

export default defineConfig({
  title: 'node-tensorrt',
  description: 'Build NVIDIA TensorRT networks in TypeScript, straight from PyTorch weights, without ONNX',
  base: process.env.SITE_BASE ?? '/',
  srcDir: 'pages',
  outDir: 'dist',
  cleanUrls: true,
  lastUpdated: false,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `data:image/svg+xml,${encodeURIComponent(icon)}` }]],
  markdown: {
    // The anchors that GitHub gives the same headings, so that links work in both places.
    anchor: { slugify: slug },
    headers: { level: [2, 3] },
    languageAlias: { cuda: 'cpp' },
    toc: { slugify: slug },
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/install' },
      { text: 'Guides', link: '/recording' },
      { text: 'Layers', link: '/layers' },
      { text: 'Reference', link: '/api/' },
      { text: 'Why', link: '/why' },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
    footer: { message: 'Apache-2.0. TensorRT and CUDA are trademarks of NVIDIA, which has no part in this project.' },
  },
});
