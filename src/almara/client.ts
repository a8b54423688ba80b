import { createHash } from 'node:crypto';
import type { Log } from '../log';
import type { Provider } from '../payment/provider';
import { isSuccess, type HttpAnswer } from './answers';
import { readAccount, readDueBill, readSavedNumber, readSavedReceipt, readServices } from './bill-readings';
import { NAME, troubleFor } from './errors';
import { createExchange } from './exchange';
import { createHttpTransport } from './http-transport';
import { readHealth, readRoutes, readWallet } from './platform-readings';
import { readLook } from './readings';
import { DEFAULT_TIMEOUTS, type AlmaraSettings } from './settings';
import { submitOnce } from './submission';
import { AccessToken, createTokens, type TokenCache } from './token';
import type { Transport } from './transport';
import { createRequests, type Request } from './wire';

export interface AlmaraDependencies {
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** Real HTTP unless it is given. */
  readonly transport?: Transport;
  readonly tokens?: TokenCache;
}

/**
 * Almara Pay as a provider. A 401 renews the token and asks again once.
 * @throws Error that names the setting when an address is unusable or not https
 */
export function createAlmara(settings: AlmaraSettings, dependencies: AlmaraDependencies): Provider {
  const { log, now = Date.now } = dependencies;
  const requests = createRequests(settings);
  const transport = dependencies.transport ?? createHttpTransport({ ...DEFAULT_TIMEOUTS, ...settings.timeouts }, now);
  const exchange = createExchange(transport, log, now);
  const tokens = createTokens(() => exchange(requests.token()), dependencies.tokens ?? {}, now);

  /** The answer with the token it was given for. Statuses that are not read are trouble. */
  async function askWithToken(request: Request, signal: AbortSignal | undefined) {
    const withToken = ({ headers, ...rest }: Request, token: AccessToken) =>
      exchange({ ...rest, headers: { ...headers, ...token.header() } }, signal);
    let token = await tokens.current(signal);
    let answer = await withToken(request, token);
    if (answer.status === 401) {
      token = await tokens.renew(token, signal);
      answer = await withToken(request, token);
    }
    if (!isSuccess(answer.status) && !request.reads.includes(answer.status)) throw troubleFor(answer, request.what);
    return { answer, token };
  }
  const ask = async (request: Request, signal: AbortSignal | undefined): Promise<HttpAnswer> =>
    (await askWithToken(request, signal)).answer;

  return {
    name: NAME,
    account: createHash('sha256').update(requests.account).digest('hex'),
    async validateAccount(bill, signal) {
      return readAccount(await ask(requests.validateAccount(bill), signal), [bill.accountNumber]);
    },
    async findPayment(paymentId, signal) {
      const { answer, token } = await askWithToken(requests.findPayment(paymentId), signal);
      return { observation: readLook(answer), session: token };
    },
    async submitPayment(order, session, mayStillSend, signal) {
      const build = () => {
        if (!(session instanceof AccessToken)) throw new Error('a session of another provider');
        const { headers, ...post } = requests.payment(order);
        return { ...post, headers: { ...headers, ...session.header() } };
      };
      const submission = await submitOnce(transport, order, build, mayStillSend, signal);
      log.debug({ paymentId: order.paymentId, kind: submission.kind }, 'the provider was asked to pay');
      return submission;
    },
    async queryBill(bill, signal) {
      return readDueBill(await ask(requests.queryBill(bill), signal), [bill.accountNumber]);
    },
    async listBillServices(signal) {
      return readServices(await ask(requests.services(), signal));
    },
    async findBillNumber(bill, signal) {
      return readSavedNumber(await ask(requests.findBillNumber(bill), signal), bill);
    },
    async saveBillNumber(request, signal) {
      const personal = [request.accountNumber, request.phoneNumber ?? ''];
      return readSavedReceipt(await ask(requests.saveBillNumber(request), signal), personal);
    },
    async listRoutes(signal) {
      return readRoutes(await ask(requests.routes(), signal));
    },
    async walletBalance(signal) {
      return readWallet(await ask(requests.wallet(), signal));
    },
    async health(signal) {
      return readHealth(await exchange(requests.health(), signal));
    },
    close: () => transport.close(),
  };
}
