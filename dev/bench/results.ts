import type { Measured, Round } from './measure';
import type { Parked } from './parked';
import { ROW_NAMES, type RowName } from './rows';
import { PARTS, type ByPart } from './stage';

/** What `--json` prints: medians over the rounds, and the rounds themselves for whoever wants to see how they spread. */
export interface Results {
  readonly rows: readonly ResultRow[];
  /** Medians of each round's own ratio: a machine that was slow in one round was slow for both. */
  readonly ratios: Readonly<Partial<Record<RatioName, number>>>;
  readonly rounds: readonly Round[];
  readonly parked?: Parked;
  readonly settings: Settings;
}

export interface ResultRow {
  readonly name: RowName;
  readonly perSecond: number;
  /** One at a time, without the time that the provider takes. */
  readonly p50Ms: number;
  /** CPU a payment, of each part; `total` is their sum. */
  readonly cpuMs: ByPart & { readonly total: number };
  /** CPU a payment of the bench itself, which starts them and waits for them; not in `total`. */
  readonly driverCpuMs: number;
  readonly events: number | null;
}

export interface Settings {
  readonly rounds: number;
  readonly payments: number;
  readonly atOnce: number;
  readonly alone: number;
  readonly providerMs: number;
}

const cpu = ({ cpuMs }: Measured): number => sum(cpuMs);
const rate = ({ perSecond }: Measured): number => perSecond;

/** Each of one round, all of whose rows it names. */
const RATIOS = {
  'cpu payment/(raw+skeleton)': ({ payment, raw, skeleton }) => cpu(payment) / (cpu(raw) + cpu(skeleton)),
  'cpu payment/samples': ({ payment, samples }) => cpu(payment) / cpu(samples),
  'cpu payment/bare': ({ payment, bare }) => cpu(payment) / cpu(bare),
  'cpu payment/raw': ({ payment, raw }) => cpu(payment) / cpu(raw),
  'perSecond payment/bare': ({ payment, bare }) => rate(payment) / rate(bare),
  'perSecond payment/samples': ({ payment, samples }) => rate(payment) / rate(samples),
} as const satisfies Readonly<Record<string, (round: Readonly<Record<RowName, Measured>>) => number>>;

export type RatioName = keyof typeof RATIOS;

export function resultsOf(
  rounds: readonly Round[],
  { rounds: asked, payments, atOnce, alone, providerMs }: Settings,
  parked: Parked | undefined,
): Results {
  return {
    rows: ROW_NAMES.flatMap((name) => {
      const measured = rounds.flatMap((round) => round[name] ?? []);
      return measured.length === 0 ? [] : [rowOf(name, measured)];
    }),
    ratios: ratiosOf(rounds),
    ...(parked && { parked }),
    rounds,
    settings: { rounds: asked, payments, atOnce, alone, providerMs },
  };
}

function rowOf(name: RowName, measured: readonly Measured[]): ResultRow {
  const cpuMs = Object.fromEntries(
    PARTS.map((part) => [part, rounded(median(measured.map((one) => one.cpuMs[part])))]),
  ) as ByPart;
  return {
    name,
    perSecond: rounded(median(measured.map(rate))),
    p50Ms: rounded(median(measured.flatMap(({ aloneMs }) => aloneMs))),
    cpuMs: { ...cpuMs, total: rounded(sum(cpuMs)) },
    driverCpuMs: rounded(median(measured.map(({ driverCpuMs }) => driverCpuMs))),
    events: measured.at(-1)?.events ?? null,
  };
}

function ratiosOf(rounds: readonly Round[]): Results['ratios'] {
  const names = Object.keys(RATIOS) as RatioName[];
  const entries = names.flatMap((name) => {
    const each = rounds.map((round) => ratioIn(round, name)).filter((ratio) => Number.isFinite(ratio));
    return each.length === 0 ? [] : [[name, rounded(median(each), 3)] as const];
  });
  return Object.fromEntries(entries);
}

/** Not a number where a row was left out. */
export function ratioIn(round: Round, name: RatioName): number {
  const missing: Measured = { perSecond: NaN, aloneMs: [], cpuMs: NOTHING, driverCpuMs: NaN, events: null };
  const whole = Object.fromEntries(ROW_NAMES.map((row) => [row, round[row] ?? missing])) as Record<RowName, Measured>;
  return RATIOS[name](whole);
}

const NOTHING: ByPart = { worker: NaN, endpoint: NaN, sandbox: NaN, temporal: NaN, postgres: NaN };

export function sum(byPart: ByPart): number {
  return PARTS.reduce((total, part) => total + byPart[part], 0);
}

/** Of no numbers: not a number. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

export const rounded = (value: number, digits = 1): number => Number(value.toFixed(digits));
