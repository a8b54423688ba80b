import { createRequire } from 'node:module';
import Fastify from 'fastify';

/** What the overrides in package.json promise; its "//" says why they are there. */
describe('installed packages', () => {
  it('lets the injector of fastify send cookies with the cookie package that fits Node 20', async () => {
    const app = Fastify();
    app.get('/', (request, reply) => reply.header('set-cookie', 'seen=yes; Path=/').send(request.headers.cookie));
    const answer = await app.inject({ url: '/', cookies: { first: 'a b', second: 'c;' } });
    await app.close();
    expect(answer.body).toBe('first=a%20b; second=c%3B');
    expect(answer.cookies).toEqual([{ name: 'seen', value: 'yes', path: '/' }]);
  });

  it('has one protobufjs for all packages of Temporal, or replaying a JSON history fails', () => {
    const resolvedBy = (name: string) => createRequire(require.resolve(name)).resolve('protobufjs');
    const copies = new Set(['@temporalio/common', '@temporalio/proto', '@temporalio/worker'].map(resolvedBy));
    expect([...copies]).toEqual([require.resolve('protobufjs')]);
  });
});
