import { beforeAll, describe, expect, it } from 'vitest';
import { createUpstream } from '../../../src/mesh/transport/create-upstream.ts';
import { LIMITS } from '../../contracts/upstream-origin.ts';
import type { Origin, OriginHandler } from '../../contracts/upstream-origin.ts';
import { createNodeOrigin } from './http1-origins.ts';
import { createAuthority } from './http1-test-certificates.ts';
import type { CertificatePem } from './http1-test-certificates.ts';
import { createHttp2Origin } from './http2-origins.ts';
import { sendTo } from './http2-test-upstream.ts';

let ca: string;
let leaf: CertificatePem;

beforeAll(async () => {
  const authority = await createAuthority();
  ca = authority.cert;
  leaf = await authority.issue({ ip: ['127.0.0.1'] });
});

/** Says which HTTP it was asked in. */
const handler: OriginHandler = ({ request, response }) => {
  response.writeHead(200, { 'x-version': (request as { httpVersion?: string }).httpVersion! });
  response.end();
};

const ORIGINS: readonly [string, string, () => Promise<Origin>][] = [
  ['http1', '1.1', () => createNodeOrigin(handler)],
  ['https', '1.1', () => createNodeOrigin(handler, leaf)],
  ['h2c', '2.0', () => createHttp2Origin(handler)],
  ['h2', '2.0', () => createHttp2Origin(handler, { tls: leaf })],
];

describe('an upstream', () => {
  it.each(ORIGINS)('for %s speaks HTTP/%s', async (protocol, version, createOrigin) => {
    const origin = await createOrigin();
    expect(origin.target.protocol).toBe(protocol);
    const upstream = createUpstream({ ...origin.target, tls: { ca, verify: true } }, LIMITS);
    const sink = await sendTo(upstream).ended();
    await upstream.close();
    await origin.close();
    expect(sink.values('x-version')).toEqual([version]);
  });
});
