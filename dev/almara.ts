import type { AlmaraSettings } from '../src/almara';
import { BILL_ROUTE_ID } from '../src/sandbox';

/** What the real adapter needs to know of a simulated provider. */
export const almaraAt = (
  url: string,
  credentials: Pick<AlmaraSettings, 'clientId' | 'clientSecret'>,
): AlmaraSettings => ({
  apiUrl: url,
  identityUrl: url,
  ...credentials,
  scope: 'PyPay_api',
  routeId: BILL_ROUTE_ID,
  serviceField: 'ServiceId',
});
