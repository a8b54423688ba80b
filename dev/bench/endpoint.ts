import { setTimeout as sleep } from 'node:timers/promises';
import { createAlmaraCallbacks, parseKeyRing } from '../../src/almara/callback';
import { createCallbackApp } from '../../src/callbacks/app';
import { createBackground } from '../../src/callbacks/background';
import { createDelivery } from '../../src/callbacks/deliver';
import { createSignal } from '../../src/callbacks/signal';
import { openClient } from '../../src/client/connection';
import { readCallbacksConfig } from '../../src/config';
import { createLog } from '../../src/log';
import { workflowIdOf } from '../../src/payment/contract';
import { openStore } from '../../src/store';
import { joinHub } from './control';

/**
 * The endpoint's two halves apart, in a process of its own: callbacks that are stored and told to nobody's workflow (`raw`), and
 * signals that no callback brought (`skeleton`).
 */
export interface BenchEndpointSettings {
  readonly socketFile: string;
  /** What the provider takes from the submission to its callback. */
  readonly providerMs: number;
}

async function main(): Promise<void> {
  const { socketFile, providerMs } = JSON.parse(process.argv[2] ?? '{}') as BenchEndpointSettings;
  const { keyRing, logLevel, host, databaseUrl } = readCallbacksConfig();
  const log = createLog('bench-endpoint', logLevel);
  const store = openStore({ databaseUrl, log });
  const signal = createSignal(openClient({}).client);

  const line = await joinHub(socketFile, 'endpoint', (message) => {
    if (message.kind === 'signal') void signalLater(message.workflowId);
  });
  const signalLater = async (workflowId: string): Promise<void> => {
    await sleep(providerMs);
    const paymentId = workflowId.slice(workflowIdOf('').length);
    await signal(paymentId, { receivedAt: new Date().toISOString(), claims: 'paid', code: '0' });
  };

  const delivery = createDelivery({
    store,
    log,
    signal: async (paymentId) => {
      line.send('worker', { kind: 'callback', paymentId });
      return 'sent';
    },
    openDispute: () => Promise.reject(new Error('a payment of the bench has no dispute')),
  });
  const background = createBackground({
    run: (paymentId, ids) => delivery.deliverPayment(paymentId, ids),
    onFailure: (_paymentId, error) => log.error({ err: error }, 'a delivery broke'),
  });
  const app = createCallbackApp({
    inbox: store.inbox,
    callbacks: createAlmaraCallbacks(parseKeyRing(keyRing)),
    deliver: (callback) => background.offer(callback),
    log,
  });
  const url = await app.listen({ host, port: 0 });
  line.send('bench', { kind: 'ready', url });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
