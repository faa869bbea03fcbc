/** GETs JSON for plugins: no redirects, a bounded answer, and no way into the private network by default. */
import { lookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, request } from 'undici';
import type { FetchJsonOptions } from '../../plugins/sdk/plugin-context.ts';

const DEFAULT_TIMEOUT_MS = 5000;
const DEFAULT_MAX_BYTES = 1024 * 1024;

export interface JsonFetcher {
  fetchJson(url: string, options?: FetchJsonOptions): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * The address is checked when the connection is made, not when the name is read, so a name that
 * resolves anew to a private address gets no further (DNS rebinding).
 */
export function createJsonFetcher(): JsonFetcher {
  const open = new Agent();
  const guarded = new Agent({ connect: { lookup: publicLookup } });
  return {
    async fetchJson(url, options = {}) {
      const { timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES } = options;
      const allowed = options.allowPrivateAddresses === true;
      if (!allowed) assertPublicLiteral(url);
      const { statusCode, body } = await request(url, {
        dispatcher: allowed ? open : guarded,
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (statusCode !== 200) {
        body.destroy();
        throw new Error(`GET ${url} answered ${statusCode}, and only 200 will do`);
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of body) {
        bytes += (chunk as Buffer).length;
        // Leaving the loop destroys the body, and with it the connection.
        if (bytes > maxBytes) throw new Error(`GET ${url} answered more than ${maxBytes} bytes`);
        chunks.push(chunk as Buffer);
      }
      return JSON.parse(Buffer.concat(chunks).toString('utf8'));
    },
    async close() {
      await Promise.all([open.destroy(), guarded.destroy()]);
    },
  };
}

/** A host that is an address is connected to without a lookup. */
function assertPublicLiteral(url: string): void {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  if (ipaddr.isValid(host) && !isPublic(host)) throw privateAddress(host);
}

const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const first = addresses?.[0];
    const refused = addresses?.find(({ address }) => !isPublic(address));
    if (error !== null) callback(error, '');
    else if (refused !== undefined)
      callback(privateAddress(`${hostname} (${refused.address})`), '');
    else if (options.all === true) callback(null, addresses);
    else callback(null, first!.address, first!.family);
  });
};

function isPublic(address: string): boolean {
  return ipaddr.process(address).range() === 'unicast';
}

function privateAddress(what: string): Error {
  return new Error(
    `${what} is a private address; allow it by allowPrivateAddresses where that is meant`,
  );
}
