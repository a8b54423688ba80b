import { startPostgres } from '../../dev/postgres';

/** Starts an ephemeral PostgreSQL, says where it is, and waits to be killed. */
void startPostgres({ cacheDir: process.argv[2] ?? '', ephemeral: true, fsync: false }).then(({ url }) => {
  process.stdout.write(`${url}\n`);
  setInterval(() => undefined, 60_000);
});
