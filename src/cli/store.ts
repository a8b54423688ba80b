import { createLog } from '../log';
import { migrate, openStore, pendingMigrations } from '../store';
import type { CliStore } from './shell';

/** Only `main` loads this file, and only for the commands that work on the database. */
export const cliStore: CliStore = {
  migrate,
  pendingMigrations,
  async addFunds(databaseUrl, funds) {
    // What goes wrong is thrown; a log on the output would break `--json`.
    const store = openStore({ databaseUrl, log: createLog('billpay', 'silent'), maxConnections: 1 });
    try {
      return await store.funds.add(funds);
    } finally {
      await store.close();
    }
  },
};
