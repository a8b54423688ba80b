import { submitOnce } from '../../src/almara/submission';
import type { PaymentPost, Reply } from '../../src/almara/transport';
import { order } from './raw-server';

/** What "not sent" rests on (G1, G2): whatever the transport does, it is not sent only where the gate has not opened. */

type Post = (post: PaymentPost, signal?: AbortSignal) => Promise<Reply>;

const unused = () => Promise.reject(new Error('not of the payment'));
const submit = (postOnce: Post, mayStillSend: () => boolean = () => true, signal?: AbortSignal) =>
  submitOnce(
    { ask: unused, postOnce, close: unused },
    order,
    () => ({ url: 'https://provider.example', headers: {}, body: '{}' }),
    mayStillSend,
    signal,
  );
const broken: Reply = { kind: 'broken', code: 'ECONNRESET' };
const late: Reply = { kind: 'timeout', afterMs: 4_000 };
const boom = (): never => {
  throw new Error('boom');
};

test.each<[string, Post, string]>([
  ['a connection that breaks', async () => broken, 'no connection (ECONNRESET)'],
  ['a connection that does not come', async () => late, 'no connection within 4 s'],
  ['a fault of the transport', async () => boom(), 'a fault of our own while sending'],
])('before the question: %s is not sent', async (_, post, because) => {
  expect(await submit(post)).toEqual({ kind: 'not-sent', because });
});

test.each<[string, (post: PaymentPost) => Reply, string]>([
  ['a connection that breaks', () => broken, 'the connection broke (ECONNRESET)'],
  ['silence', () => late, 'no answer within 4 s'],
  ['a fault of the transport', boom, 'a fault of our own while sending'],
])('after a yes: %s is unknown', async (_, reply, because) => {
  const post: Post = async (payment) => {
    expect(payment.mayStillSend()).toBe(true);
    return reply(payment);
  };
  expect(await submit(post)).toEqual({ kind: 'unknown', because });
});

test.each<[string, () => boolean]>([
  ['no', () => false],
  ['an exception', boom],
  ['a promise', () => Promise.resolve(true) as never],
  ['a word', () => 'true' as never],
])('after %s it is not sent, and asked again the answer stays no', async (_, answer) => {
  const asked = jest.fn(answer);
  const answers: boolean[] = [];
  const post: Post = async ({ mayStillSend }) => {
    answers.push(mayStillSend(), mayStillSend());
    return broken;
  };
  expect(await submit(post, asked)).toEqual({ kind: 'not-sent', because: 'too late to send' });
  expect([answers, asked.mock.calls.length]).toEqual([[false, false], 1]);
});

test('a yes is good for one try: a transport that asks again gets a no', async () => {
  const post: Post = async ({ mayStillSend }) => ({ ...broken, code: `${mayStillSend()} ${mayStillSend()}` });
  expect(await submit(post)).toMatchObject({ kind: 'unknown', because: 'the connection broke (true false)' });
});

describe('a worker that stops', () => {
  test('before anything: nothing is even tried', async () => {
    const post = jest.fn<Promise<Reply>, [PaymentPost]>();
    const stopped = AbortSignal.abort(new Error('stopped'));
    expect(await submit(post, undefined, stopped)).toEqual({ kind: 'not-sent', because: 'the worker is stopping' });
    expect(post).not.toHaveBeenCalled();
  });

  test.each([
    ['before the question: not sent', false, 'not-sent'],
    ['after a yes: unknown', true, 'unknown'],
  ])('%s', async (_, asks, kind) => {
    const stop = new AbortController();
    const post: Post = async ({ mayStillSend }, signal) => {
      if (asks) mayStillSend();
      stop.abort(new Error('stopped'));
      signal?.throwIfAborted();
      return broken;
    };
    expect(await submit(post, undefined, stop.signal)).toEqual({ kind, because: 'the worker is stopping' });
  });
});
