import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { Step } from './tests.js';
import type { Workspace } from './workspace.js';

/** The fields of vitest's JSON report that are used here. */
export interface VitestReport {
  testResults: {
    name: string;
    status: string;
    message?: string;
    startTime: number;
    endTime: number;
    assertionResults: { fullName: string; status: string; failureMessages?: string[] }[];
  }[];
}

export interface StepResult {
  ok: boolean;
  passed: number;
  /** Which tests noticed: 'read-back', 'plans', 'build', … */
  tiers: string[];
  note?: 'timeout' | 'crash';
  /** The first failure, on one line. */
  failure?: string;
}

const harness = /: (infer|build|run on the CPU|TensorRT's shapes at other sizes)\b/;
const harnessTiers: Readonly<Record<string, string>> = {
  infer: 'infer',
  build: 'build',
  'run on the CPU': 'run',
  "TensorRT's shapes at other sizes": 'shapes',
};

/** The tier that a failing test belongs to. */
export function tierOf(file: string, name: string, message = ''): string {
  if (/ERR_READ_BACK|asked for .*, TensorRT holds/.test(message)) return 'read-back';
  if (/(^|\/)test\/plans\//.test(file)) return 'plans';
  if (/(^|\/)test\/cpu\//.test(file)) return 'cpu';
  if (basename(file) === 'fallback.test.ts') return 'stand-ins';
  const tier = harness.exec(name)?.[1];
  return tier ? harnessTiers[tier]! : basename(file, '.test.ts');
}

const firstLine = (text: string): string => text.split('\n')[0]!.trim().slice(0, 200);

/** Reads a report, together with how vitest ended. */
export function readReport(
  report: VitestReport | undefined,
  code: number | null,
  timedOut: boolean,
  root = '',
): StepResult {
  const files = report?.testResults ?? [];
  const passed = files.flatMap((file) => file.assertionResults).filter(({ status }) => status === 'passed').length;
  const failures = files.flatMap((file) => {
    const path = relative(root, file.name);
    const failed = file.assertionResults.filter(({ status }) => status === 'failed');
    const failing = failed.map(({ fullName, failureMessages }) => {
      const message = (failureMessages ?? []).join('\n');
      return { tier: tierOf(path, fullName, message), text: `${fullName}: ${firstLine(message)}` };
    });
    // A file that cannot be collected.
    if (failing.length === 0 && file.status === 'failed')
      return [{ tier: basename(path, '.test.ts'), text: `${path}: ${firstLine(file.message ?? '')}` }];
    return failing;
  });
  const tiers = [...new Set(failures.map(({ tier }) => tier))].sort();
  const failure = failures[0]?.text;
  if (timedOut) return { ok: false, passed, tiers, note: 'timeout', ...(failure && { failure }) };
  if (code === 0 && failures.length === 0) return { ok: true, passed, tiers: [] };
  return {
    ok: false,
    passed,
    tiers,
    ...(failures.length === 0 && { note: 'crash' as const }),
    ...(failure && { failure }),
  };
}

/** Runs a step in a copy of the tree. */
export async function runStep(workspace: Workspace, step: Step, limit: number): Promise<StepResult> {
  const out = join(workspace.root, 'build', 'mutants.json');
  rmSync(out, { force: true });
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    'vitest.all.config.ts',
    ...step.files,
    '--reporter=json',
    `--outputFile=${out}`,
  ];
  const { code, timedOut } = await workspace.run(
    process.execPath,
    step.pattern ? [...args, '-t', step.pattern] : args,
    limit,
  );
  const report = existsSync(out) ? (JSON.parse(readFileSync(out, 'utf8')) as VitestReport) : undefined;
  return readReport(report, code, timedOut, workspace.root);
}
