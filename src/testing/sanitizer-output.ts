/** A place in a kernel. */
export interface Frame {
  /** With its parameters. */
  function: string;
  /** Absent where the kernel has no line information. */
  file?: string | undefined;
  line?: number | undefined;
  /** Of a race: what it does there, `Write` or `Read`. */
  access?: string | undefined;
}

/** An error that compute-sanitizer found in a kernel. */
export interface Finding {
  /** In its words: `Invalid __global__ write of size 4 bytes`, `Race reported between Write access and Read access`. */
  what: string;
  /** A warning is a hazard that may be meant, such as between the threads of one warp. */
  severity: 'error' | 'warning';
  /** Innermost first; of a race, the accesses. */
  frames: readonly Frame[];
  /** The rest of its report: thread, address, allocation. */
  details: readonly string[];
  /** How many reports there were of the same places. */
  count: number;
}

export interface SanitizerOutput {
  findings: Finding[];
  /** Errors by its own count, including those it did not print; undefined if it did not get to its summary. */
  errors: number | undefined;
  /** Its complaints about itself: no device, a driver that is too old, a program that made no CUDA call. */
  complaints: string[];
}

const prefix = /^=+ ?/;
const atPlace = /^\s*(?:(and )?(\w+) access )?(?:at|Device Frame:)\s*(.*)$/;
/** `kernel(float *)+0x90 in /a/b.cu:41 [508 hazards]`; before 2023 `0x90 in /a/b.cu:41:kernel(float*)`. */
const withLine = /^(.*?)(?:\+0x[0-9a-f]+)? in (.+?):(\d+)(?::(.+))?$/;
const summary = /^(?:ERROR|RACECHECK) SUMMARY: (?:\d+ hazards? displayed \()?(\d+) errors?/;
const isRace = /^(?:Error|Warning): (?:Race reported|.*hazard)/i;
/** Consequences of a finding, what the program checks itself, and headings. */
const isOther =
  /^$|^(?:Program hit|Target application returned|COMPUTE-SANITIZER|LEAK SUMMARY|Tracking kernels)|were not printed/;
/** What it says about itself; a kind of error that is not known here counts as one of the kernel's. */
const isComplaint = /^(?:Error|Warning|Internal Sanitizer Error|Wait)\b/i;

/** Reads what compute-sanitizer printed, whatever the program printed in between. */
export function parseSanitizer(output: string): SanitizerOutput {
  const result: SanitizerOutput = { findings: [], errors: undefined, complaints: [] };
  for (const [first = '', ...rest] of records(output)) {
    if (isOther.test(first)) continue;
    const counted = summary.exec(first);
    if (counted) result.errors = (result.errors ?? 0) + Number(counted[1]);
    else if (isComplaint.test(first) && !isRace.test(first))
      result.complaints.push([first, ...rest].map((line) => line.trim()).join(' '));
    else add(result.findings, finding(first, rest));
  }
  return result;
}

/** Its reports: a line, and those that are indented below it. */
function records(output: string): string[][] {
  const all: string[][] = [];
  for (const raw of output.split('\n')) {
    const line = raw.trimEnd();
    if (!line.startsWith('=========')) continue;
    const text = line.replace(prefix, '');
    if (/^\s|^and /.test(text) && all.length > 0) all.at(-1)!.push(text);
    else all.push([text]);
  }
  return all;
}

function finding(first: string, rest: readonly string[]): Finding {
  const race = /^(?:\w+: )?(Race reported between \w+ access)( at .*)$/.exec(first);
  const frames: Frame[] = [];
  const details: string[] = [];
  // The first access of a race stands in its first line; long lines are folded before "in FILE".
  const lines = race ? [race[1]!.split(' ').slice(-2).join(' ') + race[2]!, ...rest] : rest;
  for (const line of folded(lines)) {
    const place = atPlace.exec(line);
    if (place) frames.push(frameOf(place[3]!, place[2]));
    else if (!/^\s*(?:Saved host backtrace|Host Frame)/.test(line)) details.push(line.trim());
  }
  const others = frames.slice(1).map(({ access }) => `${access} access`);
  const what = race
    ? [race[1]!, ...others].join(' and ')
    : first.replace(/^(?:Error|Warning): /i, '').replace(/ :$/, '');
  return { what, severity: /^warning/i.test(first) ? 'warning' : 'error', frames, details, count: 1 };
}

function folded(lines: readonly string[]): string[] {
  const all: string[] = [];
  for (const line of lines) {
    if (/^\s*(?:in \S|\[\d+ hazard)/.test(line) && all.length > 0) all.push(`${all.pop()} ${line.trim()}`);
    else all.push(line);
  }
  return all;
}

function frameOf(text: string, access: string | undefined): Frame {
  const place = text.replace(/\s*\[[\d,]+ hazards?\]$/, '');
  const found = withLine.exec(place);
  if (!found) return { function: place.replace(/\+0x[0-9a-f]+$/, ''), access };
  return {
    function: found[4] ?? found[1]!.replace(/:0x[0-9a-f]+$/, ''),
    file: found[2],
    line: Number(found[3]),
    access,
  };
}

const placeOf = ({ what, frames }: Finding) =>
  JSON.stringify([what, frames.map(({ function: name, file, line }) => [name, file, line])]);

/** A kernel that is wrong in one place is so in many threads: one finding a place. */
function add(findings: Finding[], one: Finding): void {
  const same = findings.find((other) => placeOf(other) === placeOf(one));
  if (same) same.count++;
  else findings.push(one);
}
