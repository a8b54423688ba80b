import type { Log } from '../log';
import type { Provider } from '../payment/provider';

export interface ServiceNames {
  /** The readable name of a service, once the provider's list has come. */
  nameOf(serviceId: string): string | undefined;
}

const REFRESH_AFTER = 60 * 60_000;

/** The provider's list of services, fetched beside the work and kept for an hour: a name is a courtesy and never waited for. */
export function createServiceNames(provider: Pick<Provider, 'listBillServices'>, log: Log): ServiceNames {
  let names = new Map<string, string>();
  let nextRefresh = 0;

  const refresh = (): void => {
    nextRefresh = Date.now() + REFRESH_AFTER;
    provider.listBillServices().then(
      (services) => {
        names = new Map(services.map(({ serviceId, name }) => [serviceId, name.slice(0, 40)]));
      },
      (error: unknown) => {
        nextRefresh = Date.now() + 60_000;
        log.debug({ err: error }, 'the list of services did not come');
      },
    );
  };
  refresh();

  return {
    nameOf: (serviceId) => {
      if (Date.now() >= nextRefresh) refresh();
      return names.get(serviceId);
    },
  };
}
