import { styleText } from 'node:util';
import { BillPaymentError, InvalidRequest } from '../client';
import { reasonOf } from '../payment/reason';
import { UsageError } from './exit-codes';

export interface Output {
  /** One event: a JSON object on a line of its own, or its lines for people. */
  event(name: string, data: object, lines: readonly Line[]): void;
  /** On the error stream, so that the other holds results alone. */
  error(error: unknown): void;
}

interface OutputSettings {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  readonly json: () => boolean;
  readonly colour: boolean;
}

const STYLES = { good: 'green', bad: 'red', careful: 'yellow', heading: 'bold', quiet: 'dim', plain: 'reset' } as const;

export interface Line {
  readonly text: string;
  readonly tone?: keyof typeof STYLES;
}

export function createOutput({ out, err, json, colour }: OutputSettings): Output {
  const painted = ({ text, tone = 'plain' }: Line): string => {
    const clean = printable(text);
    return colour && tone !== 'plain' ? styleText(STYLES[tone], clean, { validateStream: false }) : clean;
  };
  return {
    event: (name, data, lines) => {
      if (json()) out(JSON.stringify({ event: name, ...data }));
      else lines.forEach((line) => out(painted(line)));
    },
    error: (error) => {
      if (json()) err(JSON.stringify({ event: 'error', ...errorData(error) }));
      else errorLines(error).forEach((line) => err(painted(line)));
    },
  };
}

/** Some texts come from the provider: nothing in them may steer the terminal. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, ' ');

function errorData(error: unknown): object {
  if (error instanceof BillPaymentError) {
    const problems = error instanceof InvalidRequest ? { problems: error.problems } : {};
    return { code: error.code, message: error.message, ...problems };
  }
  return { code: error instanceof UsageError ? 'usage' : 'failed', message: reasonOf(error) };
}

function errorLines(error: unknown): readonly Line[] {
  if (!(error instanceof InvalidRequest)) {
    return reasonOf(error)
      .split('\n')
      .map((text) => ({ text, tone: 'bad' }));
  }
  return [
    { text: 'The request is not valid:', tone: 'bad' },
    ...error.problems.map(({ field, problem }) => ({ text: `  ${field} ${problem}` })),
  ];
}
