import { defineSignal } from '@temporalio/workflow';
import { SIGNALS } from '../../../src/payment/contract';

/** The endpoint's own: what it sends to a payment, it sends to these. */
export const providerCallback = defineSignal<[unknown]>(SIGNALS.providerCallback);
