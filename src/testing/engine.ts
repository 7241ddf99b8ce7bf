import { findTensorRT } from '../tensorrt/library/find.js';
import type { Engine } from '../tensorrt/run/engine.js';
import { dynamicNetwork, feedsOf, fixedNetwork, type Outputs } from './network.js';
import { refusesSizes, type Subject } from './subject.js';

/** The TensorRT that runs plugins here, or why there is none. */
export async function findPluginLibrary(library: string | undefined): Promise<{ path: string } | { why: string }> {
  const env = library === undefined ? process.env : { ...process.env, NODE_TENSORRT_LIBRARY: library };
  const found = await findTensorRT({ env });
  const usable = found.find(({ usableFor }) => usableFor.build && usableFor.run && usableFor.plugins);
  if (usable) return { path: usable.path };
  const [reason] = found.map(({ refused, limits }) => refused ?? limits?.plugins ?? limits?.run ?? limits?.build);
  return { why: reason ?? 'no TensorRT was found' };
}

/** What came of a subject in an engine. */
export type EngineOutcome = { subject: Subject; outputs: Outputs } | { subject: Subject; error: unknown };

/**
 * Runs subjects in engines, one for all that differ in sizes alone. Where the rules need known sizes, each has an engine of its
 * own; `onFixed` gets the reason.
 */
export async function* runInEngines(
  subjects: readonly Subject[],
  library: string,
  onFixed: (why: string, count: number) => void,
): AsyncGenerator<EngineOutcome> {
  for (const group of groupsOf(subjects)) {
    let shared: Engine | undefined;
    try {
      shared = await buildShared(group, library);
    } catch (error) {
      if (!refusesSizes(error)) {
        for (const subject of group) yield { subject, error };
        continue;
      }
      onFixed(error.message, group.length);
    }
    try {
      for (const subject of group) {
        try {
          using own = shared ? undefined : await fixedNetwork(subject).build({ library });
          const engine = (shared ?? own)!;
          yield { subject, outputs: await engine.run(feedsOf(subject, engine)) };
        } catch (error) {
          yield { subject, error };
        }
      }
    } finally {
      shared?.dispose();
    }
  }
}

async function buildShared(group: readonly Subject[], library: string): Promise<Engine> {
  const { net, profile } = dynamicNetwork(group);
  return await net.build({ library, ...(Object.keys(profile).length > 0 && { profiles: [profile] }) });
}

/** Subjects that one network can stand for: the same dtypes, ranks and attributes. */
function groupsOf(subjects: readonly Subject[]): Subject[][] {
  const groups = new Map<string, Subject[]>();
  for (const subject of subjects) {
    const { types, attributes, feeds, definition } = subject;
    const ranks = definition.inputs.map((name, i) => {
      const { shape } = feeds[name]!;
      return i < definition.tensors ? shape.length : shape;
    });
    const key = JSON.stringify([types, attributes, ranks]);
    groups.set(key, [...(groups.get(key) ?? []), subject]);
  }
  return [...groups.values()];
}
