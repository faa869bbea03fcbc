/** The admin API as the verbs call it. */
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { EVENT_STREAM } from '../admin/event-stream.ts';
import { AdminFailure, refused, unreachable } from './admin-failure.ts';
import { readEvents, type ServerEvent } from './event-stream.ts';
import { findLocalNode, type LocalNode } from './local-node.ts';
import type { VerbIo } from './verb.ts';

export interface Listed<Item> {
  readonly items: readonly Item[];
  /** More than 0 while the node that answers cannot ask the backplane. */
  readonly stalenessSeconds: number;
  /** Nodes that should have told of it, and did not. */
  readonly missing: readonly string[];
}

export type Query = Readonly<Record<string, string>>;

export interface Request {
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Default 10 s. */
  readonly timeoutMs?: number;
}

export interface Answer<Body> {
  readonly body: Body;
  readonly headers: Headers;
}

/** All of it rejects with an `AdminFailure`. */
export interface AdminClient {
  /** For people. */
  readonly address: string;
  ask<Body>(
    method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    request?: Request,
  ): Promise<Answer<Body>>;
  get<Body>(path: string, query?: Query, signal?: AbortSignal): Promise<Body>;
  /** All pages of a list. */
  list<Item>(path: string, query?: Query, signal?: AbortSignal): Promise<Listed<Item>>;
  put<Body>(path: string, body: unknown): Promise<Body>;
  post<Body>(path: string, body: unknown): Promise<Body>;
  delete(path: string): Promise<void>;
  /** A stream of events, until either side ends it; the wait for its beginning alone is limited. */
  events(path: string, query: Query, signal: AbortSignal): Promise<AsyncIterable<ServerEvent>>;
}

const DEFAULT_ADDRESS = 'http://127.0.0.1:8001';
const TIMEOUT_MS = 10_000;
const PAGE_SIZE = '1000';

/** For the usage of verbs. */
export const ADMIN_USAGE = `MESHGATE_ADMIN is the address of the admin API, MESHGATE_TOKEN its token. Default: those of the
node whose configuration is $MESHGATE_CONFIG, else ./meshgate.yaml, else ./config/meshgate.yaml:
its admin.address, else ${DEFAULT_ADDRESS}, and what is in admin-token in its dataDir.`;

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
  readonly staleness_seconds: number;
  readonly nodes?: { readonly missing: readonly string[] };
}

/** Rejects with an `AdminFailure` where the address is none, or there is no token. */
export async function openAdminClient(io: VerbIo): Promise<AdminClient> {
  const { MESHGATE_ADMIN: named, MESHGATE_TOKEN: given } = io.env;
  // Empty where a pipeline has no such secret.
  const local = named !== undefined && given ? undefined : await findLocalNode(io);
  const base = toBase(named ?? local?.adminAddress ?? DEFAULT_ADDRESS);
  const token = given || (await readToken(local!, io));
  const address = base.href.replace(/\/$/, '');

  function send(method: string, path: string, request: Request, signal: AbortSignal) {
    const { query = {}, headers, body } = request;
    const url = new URL(path, base);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      // The token is for this address alone.
      redirect: 'error',
      signal,
    });
  }

  async function ask<Body>(
    method: string,
    path: string,
    request: Request = {},
  ): Promise<Answer<Body>> {
    const { signal, timeoutMs = TIMEOUT_MS } = request;
    const limits = [AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])];
    let response: Response;
    let text: string;
    try {
      response = await send(method, path, request, AbortSignal.any(limits));
      text = await response.text();
    } catch (error) {
      throw unreachable(address, error, timeoutMs);
    }
    const { status, headers } = response;
    // Only an answer with a body says why.
    if (method === 'HEAD' && !response.ok) return ask<Body>('GET', path, request);
    if (status === 204) return { body: undefined as Body, headers };
    const body = parse(text);
    if (response.ok && (body !== undefined || method === 'HEAD')) {
      return { body: body as Body, headers };
    }
    throw refused(address, status, body);
  }

  return {
    address,
    ask,
    get: async <Body>(path: string, query: Query = {}, signal?: AbortSignal) =>
      (await ask<Body>('GET', path, { query, signal })).body,
    async list<Item>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Listed<Item>> {
      const items: Item[] = [];
      let stalenessSeconds = 0;
      let missing: readonly string[] = [];
      let cursor: string | null = null;
      do {
        const page: Answer<Page<Item>> = await ask<Page<Item>>('GET', path, {
          query: { ...query, page_size: PAGE_SIZE, ...(cursor !== null && { cursor }) },
          signal,
        });
        items.push(...page.body.items);
        stalenessSeconds = Math.max(stalenessSeconds, page.body.staleness_seconds);
        missing = page.body.nodes?.missing ?? [];
        cursor = page.body.next_cursor;
      } while (cursor !== null);
      return { items, stalenessSeconds, missing };
    },
    put: async <Body>(path: string, body: unknown) => (await ask<Body>('PUT', path, { body })).body,
    post: async <Body>(path: string, body: unknown) =>
      (await ask<Body>('POST', path, { body })).body,
    async delete(path) {
      await ask('DELETE', path);
    },
    async events(path, query, signal) {
      const late = new AbortController();
      const timer = setTimeout(() => {
        late.abort(new DOMException('no answer', 'TimeoutError'));
      }, TIMEOUT_MS);
      const request = { query, headers: { accept: EVENT_STREAM } };
      try {
        const response = await send(
          'GET',
          path,
          request,
          AbortSignal.any([signal, late.signal]),
        ).catch((error: unknown) => {
          throw unreachable(address, error, TIMEOUT_MS);
        });
        const isStream = response.headers.get('content-type')?.startsWith(EVENT_STREAM);
        if (response.ok && isStream === true && response.body !== null) {
          return readEvents(response.body);
        }
        throw refused(address, response.status, parse(await response.text()));
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function toBase(text: string): URL {
  const url = URL.parse(text.endsWith('/') ? text : `${text}/`);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new AdminFailure(
    `MESHGATE_ADMIN is no address of an admin API: ${JSON.stringify(text)}; write it like ${DEFAULT_ADDRESS}`,
  );
}

async function readToken(
  { configFile, tokenFile }: LocalNode,
  { cwd, env }: VerbIo,
): Promise<string> {
  try {
    return (await readFile(tokenFile, 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const path = relative(cwd, tokenFile);
    const file = path.startsWith('..') ? tokenFile : path;
    const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
    const named = env['MESHGATE_CONFIG'] || 'meshgate.yaml';
    const owner =
      configFile === undefined
        ? `there is no ${named} here that would tell of a node`
        : `the configuration is ${configFile}`;
    throw new AdminFailure(
      `there is no token: MESHGATE_TOKEN is not set, and ${file} ${reason} (${owner}).
The first start of a node writes it, to admin-token in its data directory. Where the node runs with another
configuration file, name that in MESHGATE_CONFIG.`,
    );
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
