import type { SymbolPage } from './api.js';

export interface Item {
  text: string;
  link?: string;
  collapsed?: boolean;
  items?: Item[];
}
export type Nav = Item[];

const page = (text: string, link: string): Item => ({ text, link });

const texts: Nav = [
  {
    text: 'Start',
    items: [
      page('Install', '/install'),
      page('What installing does', '/installing'),
      page('First engine', '/first-engine'),
      page('First plugin', '/first-plugin'),
      page('Why node-tensorrt', '/why'),
    ],
  },
  {
    text: 'Guides: networks',
    items: [
      page('Recording a network', '/recording'),
      page('Porting from PyTorch', '/from-pytorch'),
      page('Coming from TensorRT’s API', '/from-tensorrt'),
      page('Weight files', '/weights'),
      page('Dynamic shapes', '/dynamic-shapes'),
      page('Precision', '/precision'),
      page('Plugins', '/plugins'),
      page('Rewriting networks', '/passes'),
    ],
  },
  {
    text: 'Guides: engines',
    items: [
      page('Building', '/building'),
      page('TensorRT releases', '/tensorrt-releases'),
      page('Caching', '/caching'),
      page('Engine files', '/engine-files'),
      page('Other weights (refit)', '/refit'),
      page('Running fast', '/running'),
      page('Debugging a difference', '/comparing'),
      page('Serving', '/serving'),
      page('Bundling', '/bundling'),
      page('Examples', '/examples'),
    ],
  },
  {
    text: 'Reference',
    items: [page('Layers', '/layers'), page('Errors', '/errors'), page('Command line', '/command-line')],
  },
];

const project: Item = {
  text: 'Project',
  collapsed: true,
  items: [
    page('Benchmarks', '/benchmarks'),
    page('Results on a GPU', '/gpu-results'),
    page('Architecture', '/architecture'),
    page('Prebuilt addons', '/prebuilt'),
    page('Mutants', '/mutants'),
    page('Contributing', '/contributing'),
    page('Security', '/security'),
    page('Support', '/support'),
    page('Licences of dependencies', '/licenses'),
  ],
};

/** What there is most of. The index lists these; in the sidebar of every page they would be most of the page. */
const listedInIndex = ['Interfaces', 'Types'];

/** The sidebar, with a group for each kind of symbol. */
export function sidebar(symbols: readonly SymbolPage[]): Nav {
  const groups = [...new Set(symbols.map(({ group }) => group))].map(
    (group): Item =>
      listedInIndex.includes(group)
        ? { text: group, link: `/api/#${group === 'Types' ? 'type-aliases' : group.toLowerCase()}` }
        : {
            text: group,
            collapsed: true,
            items: symbols.filter((one) => one.group === group).map(({ text, link }) => ({ text, link })),
          },
  );
  const reference = texts.at(-1)!;
  const api: Item = { text: 'Every symbol', link: '/api/', collapsed: true, items: groups };
  return [...texts.slice(0, -1), { ...reference, items: [...reference.items!, api] }, project];
}
