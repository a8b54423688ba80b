import path from 'node:path';
import { run } from 'jest';
import {
  InvalidConfiguration,
  PROVIDER_CHECK_NEEDS,
  readProviderCheckConfig,
  type ProviderCheckConfig,
} from '../../src/config';

/**
 * `npm run provider:check [-- --pay]`: the provider's contract against its real test system, with credentials from the environment.
 * Reads and refusals only. With `--pay` it pays PROVIDER_CHECK_AMOUNT once, for PROVIDER_CHECK_ACCOUNT.
 */
async function main(): Promise<void> {
  if (process.argv.includes('--pay')) process.env['PROVIDER_CHECK_PAY'] = 'true';
  const config = readProviderCheckConfig();
  if (config === undefined) {
    console.log(`Nothing was checked: set ${inWords(PROVIDER_CHECK_NEEDS)} to the credentials of a test system.`);
    return;
  }
  for (const line of skippedBy(config)) console.log(line);
  await run(['--config', path.join(__dirname, 'jest.config.js'), '--runInBand', '--verbose']);
}

function skippedBy({ serviceId, bill, payment }: ProviderCheckConfig): string[] {
  return [
    ...(serviceId === undefined ? ['Skipped without PROVIDER_CHECK_SERVICE_ID: whether an account is valid.'] : []),
    ...(bill === undefined ? ['Skipped without PROVIDER_CHECK_ACCOUNT: what is known of an account.'] : []),
    payment === undefined
      ? 'Nothing is paid. To pay: PROVIDER_CHECK_AMOUNT beside the two, and `npm run provider:check -- --pay`.'
      : `One payment of ${payment.amount} is made.`,
  ];
}

const inWords = (names: readonly string[]): string => `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

main().catch((error: unknown) => {
  console.error(error instanceof InvalidConfiguration ? error.message : error);
  process.exitCode = 1;
});
