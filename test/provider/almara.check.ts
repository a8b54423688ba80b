import { createAlmara } from '../../src/almara';
import { createHttpTransport } from '../../src/almara/http-transport';
import { DEFAULT_TIMEOUTS } from '../../src/almara/settings';
import { readProviderCheckConfig } from '../../src/config';
import { createLog } from '../../src/log';
import { almaraCallbacks, BODIES } from './almara-samples';
import { bounded } from './bounded';
import { describeProvider } from './contract';

/** Almara Pay's own test system. Run by `check.ts`, which has looked at the configuration before. */

const config = readProviderCheckConfig();
if (config === undefined) throw new Error('run it with: npm run provider:check');
const { almara, bill, invalidAccount, payment, serviceId } = config;
const BOUNDS = { requests: 120, minutes: 10, amount: payment?.amount ?? 0 };
const NOBODY = 'http://127.9.9.9:9';

describeProvider(
  almara.apiUrl,
  {
    validBill: bill,
    invalidBill: serviceId === undefined ? undefined : { serviceId, accountNumber: invalidAccount },
    // It takes nothing even where it is believed.
    refused: { serviceId: serviceId ?? 'none', accountNumber: invalidAccount, amount: 0 },
    paid: payment,
    bodies: BODIES,
  },
  async () => {
    const log = createLog('test', 'silent');
    const transport = bounded(createHttpTransport(DEFAULT_TIMEOUTS, Date.now), BOUNDS);
    const unreachable = createAlmara({ ...almara, apiUrl: NOBODY, identityUrl: NOBODY }, { log });
    return {
      provider: createAlmara(almara, { log, transport }),
      unreachable,
      stranger: unreachable,
      ...almaraCallbacks(),
      secrets: [almara.clientId, almara.clientSecret],
      close: async () => {
        await Promise.all([transport.close(), unreachable.close()]);
      },
    };
  },
);
