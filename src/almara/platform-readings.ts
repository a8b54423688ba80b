import { z } from 'zod';
import type { TransactionRoute, WalletBalance } from '../payment/inquiry';
import { isSuccess, type HttpAnswer } from './answers';
import { listIn, readSuccess } from './bill-readings';
import { troubleFor, unreadable, WHAT } from './errors';
import { decimal, flag, idText, present, shownText } from './scalars';
import { printable } from './text';

/** How the answers about our account at the provider are read. */

const routeSchema = z
  .object({ id: idText, category: idText, categoryDescription: shownText(80), routeIsActive: flag })
  .partial();

/** `category` is a number in a string; the bill category is not documented, so routes are shown and never chosen by it. */
export function readRoutes(answer: HttpAnswer): readonly TransactionRoute[] {
  const what = WHAT.routes;
  const list = listIn(readSuccess(answer, what));
  if (list === undefined) throw unreadable(answer, what, 'it holds no list of routes');
  return list.flatMap((item) => {
    const parsed = routeSchema.safeParse(item);
    if (!parsed.success || parsed.data.id === undefined) return [];
    const { id, category, categoryDescription, routeIsActive } = parsed.data;
    return [
      {
        id,
        category: category ?? '',
        active: routeIsActive ?? false,
        ...present({ description: categoryDescription }),
      },
    ];
  });
}

const balanceSchema = z.object({ type: shownText(40), balance: decimal }).partial();
const walletSchema = z.object({
  customerAccountBalanceList: z.array(z.unknown()).nullish(),
  balance: decimal.optional(),
});

/** One wallet may hold several balances by `type`, whose meaning is not documented: all are shown. */
export function readWallet(answer: HttpAnswer): WalletBalance {
  const what = WHAT.wallet;
  const parsed = walletSchema.safeParse(readSuccess(answer, what));
  const items = parsed.success ? (parsed.data.customerAccountBalanceList ?? []) : [];
  const balances = items.flatMap((item) => {
    const balance = balanceSchema.safeParse(item);
    if (!balance.success || balance.data.balance === undefined) return [];
    return [{ balance: balance.data.balance, ...present({ type: balance.data.type }) }];
  });
  if (balances.length > 0) return { balances };
  if (parsed.data?.balance !== undefined) return { balances: [{ balance: parsed.data.balance }] };
  throw unreadable(answer, what, 'it holds no balance');
}

/** Plain text, `Healthy`. */
export function readHealth(answer: HttpAnswer): string {
  const what = WHAT.health;
  if (!isSuccess(answer.status)) throw troubleFor(answer, what);
  const said = printable(answer.text, 60);
  if (said === '' || said.startsWith('<')) throw unreadable(answer, what, said === '' ? 'empty' : 'a web page');
  return said;
}
