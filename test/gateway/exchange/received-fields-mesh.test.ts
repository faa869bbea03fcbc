/** What a door of the mesh believes of the fields it receives. */
import { describe, expect, it } from 'vitest';
import { receiveFields } from '../../../src/gateway/exchange/received-fields.ts';

const CLAIMS = Object.entries({
  'X-Request-Id': 'r',
  traceparent: 't',
  tracestate: 's',
  Via: '1.1 a',
  'X-Forwarded-For': '1.2.3.4',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'h',
  'X-Forwarded-Port': '1',
  Forwarded: 'for=1.2.3.4',
  'X-Real-IP': '1.2.3.4',
  'X-Meshgate-Identity': 'root',
  Accept: '*/*',
}).flat();

describe('a door of the mesh', () => {
  it('believes request id and trace, and nothing about the client', () => {
    const raw = CLAIMS.slice();
    expect(receiveFields(raw, false, true)).toEqual({
      requestId: 'r',
      traceparent: 't',
      tracestate: 's',
      via: '1.1 a',
      forwardedFor: undefined,
      forwardedProto: undefined,
      forwardedHost: undefined,
      forwardedPort: undefined,
      acceptsTrailers: false,
    });
    expect(raw).toEqual(['Accept', '*/*']);
  });

  it('believes a trusted proxy as any listener does', () => {
    const [within, edge] = [CLAIMS.slice(), CLAIMS.slice()];
    expect(receiveFields(within, true, true)).toEqual(receiveFields(edge, true, false));
    expect(within).toEqual(edge);
    expect(within).toContain('Forwarded');
  });

  it('takes no request id of more than 256 characters, which every node would log', () => {
    const idOf = (length: number): string | undefined =>
      receiveFields(['X-Request-Id', 'x'.repeat(length)], false, true).requestId;
    expect(idOf(256)?.length).toBe(256);
    expect(idOf(257)).toBeUndefined();
  });
});

describe('an edge listener', () => {
  it('believes none of it', () => {
    const provenance = receiveFields(CLAIMS.slice(), false);
    expect(provenance).toMatchObject({ requestId: undefined, traceparent: undefined });
  });
});
