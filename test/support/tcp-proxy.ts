import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** When to cut: before the server sees the words, or after it has answered them and before the client hears of it. */
export type Cut = 'before-forwarding' | 'after-the-answer';

export interface TcpProxy {
  /** The same URL, through here. */
  readonly url: string;
  /** The next connection whose client says these words is cut. Once. Settles when it was. */
  cut(when: Cut, words: string): Promise<void>;
  close(): Promise<void>;
}

interface Armed {
  readonly when: Cut;
  readonly words: string;
  readonly done: () => void;
}

/** Stands between a client and a server and loses what a network loses. Bytes pass unchanged; only the cut is ours. */
export async function startTcpProxy(url: string): Promise<TcpProxy> {
  const target = new URL(url);
  let armed: Armed | undefined;
  const sockets = new Set<Socket>();

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const pair = [client, upstream];
    for (const socket of pair) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => pair.forEach((other) => other.destroy()));
    }
    let losing: Armed | undefined;
    client.on('data', (said) => {
      if (armed !== undefined && said.includes(armed.words)) {
        losing = armed;
        armed = undefined;
        if (losing.when === 'before-forwarding') {
          client.destroy();
          return losing.done();
        }
      }
      upstream.write(said);
    });
    upstream.on('data', (answer) => {
      if (losing === undefined) return void client.write(answer);
      client.destroy();
      losing.done();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const here = new URL(url);
  here.hostname = '127.0.0.1';
  here.port = String((server.address() as AddressInfo).port);

  return {
    url: here.toString(),
    cut: (when, words) => new Promise((done) => (armed = { when, words, done })),
    async close() {
      server.close();
      sockets.forEach((socket) => socket.destroy());
      await once(server, 'close');
    },
  };
}
