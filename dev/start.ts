import { readLocalConfig } from '../src/config';
import { createLog } from '../src/log';
import { accountOf, SERVICES } from '../src/sandbox';
import { runOnStack } from './run';
import type { Stack } from './stack';

/** Where people expect them: Temporal's own defaults. */
const PORTS = { temporal: 7233, ui: 8233, sandbox: 8090, callbacks: 8080 };
const FLOAT = { account: 'float-1', amount: 1_000_000, currency: 'KES' };

/** `npm start`: everything on one machine, until Ctrl-C. */
async function untilStopped(stack: Stack, interrupted: Promise<void>): Promise<number> {
  const account = (await stack.store.funds.account(FLOAT.account)) ?? (await stack.store.funds.add(FLOAT));

  const environment = stack.address === `127.0.0.1:${PORTS.temporal}` ? '' : `TEMPORAL_ADDRESS=${stack.address} `;
  console.log(`
Ready. Funding account ${FLOAT.account} holds ${FLOAT.currency} ${account.available}. Pay a bill from another terminal:

  ${environment}npx billpay pay --service ${SERVICES[0]?.serviceId ?? ''} --account ${accountOf('paid-with-callback')} \\
    --amount 220 --payer-name "A Payer" --payer-phone 254712345678 --description "Electricity" --funding-account ${FLOAT.account}

Other account numbers do other things: ${stack.sandbox.url}/sandbox/behaviours
${stack.uiUrl === undefined ? '' : `Watch it in the Web UI: ${stack.uiUrl}\n`}Stop with Ctrl-C.`);

  await interrupted;
  console.log('\nStopping …');
  return 0;
}

console.log('Starting everything on this machine:');
void runOnStack(
  {
    log: createLog('local', 'warn'),
    progress: (line) => console.log(`  ${line}`),
    keep: true,
    ports: PORTS,
    allowTestPolicy: false,
    ...readLocalConfig(),
  },
  untilStopped,
);
