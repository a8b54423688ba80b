import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createAlmaraCallbacks, parseKeyRing } from '../../src/almara/callback';
import type { CallbackSamples, CallbacksUnderTest } from './callbacks-contract';

/** What Almara Pay's two documented callbacks are read as, and callbacks with keys of their own. */

const sample = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path.join(__dirname, '../fixtures/almara', `${name}.json`), 'utf8')) as never;

export const BODIES: CallbackSamples['bodies'] = [
  {
    name: 'the documented one',
    body: (paymentId) => ({ ...sample('payment-callback'), originatorConversationId: paymentId }),
    reads: { tells: 'result', claims: 'paid', code: { value: '0', meaning: 'success' } },
  },
  {
    name: 'the older one',
    body: (paymentId) => ({ ...sample('payment-callback-flat'), OriginatorConversationId: paymentId }),
    reads: { tells: 'receipt', claims: 'unclear' },
  },
  {
    name: 'a failure without a code',
    body: (paymentId) => ({ originatorConversationId: paymentId, billRequestOutcome: { status: 6 } }),
    reads: { tells: 'result', claims: 'failed', receipt: {} },
  },
];

const callbacksWith = (key: number) =>
  createAlmaraCallbacks(parseKeyRing(`k1:${Buffer.alloc(32, key).toString('base64')}`));

export const almaraCallbacks = (): CallbacksUnderTest => ({
  callbacks: callbacksWith(1),
  otherCallbacks: callbacksWith(2),
});
