import { expect, it } from 'vitest';
import type { Explanation } from '../../../src/gateway/explain/explain.ts';
import { UnexplainableError, type ExplainQuestion } from '../../../src/gateway/explain/question.ts';
import { stopAdminsAfterEach } from '../admin-fixture.ts';
import { startConfigured } from '../configured-admin.ts';

stopAdminsAfterEach();

const EXPLANATION: Explanation = {
  listener: 'http',
  routes: [{ route: 'orders', match: 0, won: true, reason: 'it does' }],
  plugins: [],
  targets: [],
  forward: undefined,
  answer: { status: 503, code: 'no_healthy_endpoint', reason: 'none' },
};

it('asks what would become of a request, and answers it', async () => {
  const asked: ExplainQuestion[] = [];
  const admin = await startConfigured({
    async explain(question) {
      asked.push(question);
      return EXPLANATION;
    },
  });
  const { status, body } = await admin.post('/v1/explain', {
    method: 'post',
    url: 'https://api.test/orders?x=1',
    headers: [
      { name: 'x-a', value: '1' },
      { name: 'x-a', value: '2' },
    ],
    body: 'ä',
  });
  expect([status, body]).toEqual([200, JSON.parse(JSON.stringify(EXPLANATION))]);
  expect(asked).toEqual([
    {
      method: 'POST',
      url: new URL('https://api.test/orders?x=1'),
      headers: ['x-a', '1', 'x-a', '2'],
      body: Buffer.from('ä'),
    },
  ]);
});

it('refuses what could come in at no door', async () => {
  const admin = await startConfigured({
    explain: ({ url }) =>
      Promise.reject(
        new UnexplainableError(`no listener of the configuration speaks ${url.protocol}`),
      ),
  });
  for (const url of ['ftp://x.test/', 'nowhere']) {
    const { status, body } = await admin.post('/v1/explain', { method: 'GET', url });
    expect([status, body['errors']]).toMatchObject([422, [{ pointer: '#/url' }]]);
  }
  const wrong = await admin.post('/v1/explain', {
    method: 'G T',
    url: 'http://x.test/',
    headers: [{ name: 'a', value: 'b\r\nc: d' }],
  });
  expect([wrong.status, wrong.body['errors']]).toMatchObject([
    422,
    [{ pointer: '#/method' }, { pointer: '#/headers/0/value' }],
  ]);
});
