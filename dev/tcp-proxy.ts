import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** When to cut, from the first words to the end of the answer. The server sees what was forwarded, the client what was answered. */
export type Cut = 'before-forwarding' | 'after-the-words' | 'after-forwarding' | 'in-the-answer' | 'after-the-answer';

export interface TcpProxy {
  /** The same URL, through here. */
  readonly url: string;
  /** The next connection whose client says these words is cut. Once. Settles when it was. */
  cut(when: Cut, words: string): Promise<void>;
  /** The next connection whose client says these words hears no answer until the returned function is called. Settles when it waits. */
  hold(words: string): Promise<() => void>;
  /** Cuts every connection and every new one, until the returned function is called. */
  cutAll(): () => void;
  close(): Promise<void>;
}

interface Armed {
  readonly when: Cut | 'hold';
  readonly words: string;
  readonly done: (release: () => void) => void;
}

const nothing = (): void => undefined;

/** Stands between a client and a server and loses what a network loses. Bytes pass unchanged; only the cut is ours. */
export async function startTcpProxy(url: string): Promise<TcpProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let armed: Armed | undefined;
  let isDown = false;

  const server = createServer((client) => {
    if (isDown) return void client.destroy();
    const upstream = connect(Number(target.port), target.hostname);
    const pair = [client, upstream];
    for (const socket of pair) {
      sockets.add(socket);
      socket.on('error', nothing);
      socket.on('close', () => pair.forEach((other) => other.destroy()));
    }
    let answering: Armed | undefined;
    client.on('data', (said) => {
      const met = armed !== undefined && said.includes(armed.words) ? armed : undefined;
      if (met !== undefined) armed = undefined;
      const lose = () => {
        client.destroy();
        met?.done(nothing);
      };
      switch (met?.when) {
        case undefined:
          return void upstream.write(said);
        case 'before-forwarding':
          return lose();
        case 'after-the-words':
          return void upstream.write(said.subarray(0, said.indexOf(met.words) + met.words.length), lose);
        case 'after-forwarding':
          return void upstream.write(said, lose);
        case 'hold':
          upstream.pause();
          return void upstream.write(said, () => met.done(() => upstream.resume()));
        case 'in-the-answer':
        case 'after-the-answer':
          answering = met;
          return void upstream.write(said);
      }
    });
    upstream.on('data', (answer) => {
      if (answering === undefined) return void client.write(answer);
      const { when, done } = answering;
      const lose = () => {
        client.destroy();
        done(nothing);
      };
      if (when === 'in-the-answer') client.write(answer.subarray(0, answer.length / 2), lose);
      else lose();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const here = new URL(url);
  here.hostname = '127.0.0.1';
  here.port = String((server.address() as AddressInfo).port);

  return {
    url: here.toString(),
    cut: (when, words) => new Promise((done) => (armed = { when, words, done: () => done() })),
    hold: (words) => new Promise((done) => (armed = { when: 'hold', words, done })),
    cutAll() {
      isDown = true;
      sockets.forEach((socket) => socket.destroy());
      return () => (isDown = false);
    },
    async close() {
      server.close();
      sockets.forEach((socket) => socket.destroy());
      await once(server, 'close');
    },
  };
}
