import { createAlmara, type AlmaraSettings } from '../../src/almara';
import { createLog } from '../../src/log';
import { accountOf, BILL_ROUTE_ID, SERVICES, startSandbox, type BehaviourName } from '../../src/sandbox';
import { almaraCallbacks, BODIES } from './almara-samples';
import { describeProvider } from './contract';

/** Almara Pay as the sandbox simulates it, over HTTP. */

const CREDENTIALS = { clientId: 'contract-client', clientSecret: 'contract-secret' };
const serviceId = SERVICES[0]?.serviceId ?? '';
const bill = (behaviour: BehaviourName) => ({ serviceId, accountNumber: accountOf(behaviour) });
const payment = (behaviour: BehaviourName) => ({ ...bill(behaviour), amount: 220 });
const UNCLEAR: readonly BehaviourName[] = [
  'duplicate-id-rejected',
  'post-timeout',
  'post-reset',
  'post-500',
  'post-429',
  'post-unreadable',
  'reset-before-capture',
  '429-before-capture',
];

describeProvider(
  'the sandbox',
  {
    validBill: bill('paid-with-callback'),
    invalidBill: bill('invalid-account'),
    refused: payment('rejected'),
    paid: payment('callback-lost'),
    unclear: UNCLEAR.map((name) => ({ name, ...payment(name) })),
    maySendTwice: true,
    saved: { ...bill('paid-with-callback'), phoneNumber: '254712345678', description: 'home' },
    mayTryCredentials: true,
    bodies: BODIES,
  },
  async () => {
    const sandbox = await startSandbox(CREDENTIALS);
    const log = createLog('test', 'silent');
    const settings: AlmaraSettings = {
      apiUrl: sandbox.url,
      identityUrl: sandbox.url,
      ...CREDENTIALS,
      scope: 'PyPay_api',
      routeId: BILL_ROUTE_ID,
      serviceField: 'ServiceId',
      timeouts: { payMs: 1_000 },
    };
    const made = {
      provider: createAlmara(settings, { log }),
      unreachable: createAlmara({ ...settings, apiUrl: NOBODY, identityUrl: NOBODY }, { log }),
      stranger: createAlmara({ ...settings, clientSecret: 'another-secret' }, { log }),
    };
    return {
      ...made,
      ...almaraCallbacks(),
      secrets: [...Object.values(CREDENTIALS), 'another-secret'],
      close: async () => {
        await Promise.all(Object.values(made).map((provider) => provider.close()));
        await sandbox.close();
      },
    };
  },
);

/** A port that nobody can listen on without being root, on an address of this machine alone. */
const NOBODY = 'http://127.9.9.9:9';
