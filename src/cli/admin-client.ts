/** The admin API as the verbs call it; what goes wrong is worded for whoever runs them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VerbIo } from './verb.ts';

export interface Listed<Item> {
  readonly items: readonly Item[];
  /** More than 0 while the node that answers cannot ask the backplane. */
  readonly stalenessSeconds: number;
}

export interface AdminClient {
  /** For people. */
  readonly address: string;
  /** All pages of a list. */
  list<Item>(
    path: string,
    query?: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<Listed<Item>>;
  put<Answer>(path: string, body: unknown): Promise<Answer>;
  post<Answer>(path: string, body: unknown): Promise<Answer>;
  delete(path: string): Promise<void>;
}

/** Could not be done; the message says why and what helps. */
export class AdminFailure extends Error {
  /** Asking again would not help. */
  readonly isFinal: boolean;

  constructor(message: string, isFinal = true) {
    super(message);
    this.name = 'AdminFailure';
    this.isFinal = isFinal;
  }
}

const DEFAULT_ADDRESS = 'http://127.0.0.1:8001';
/** Where a node that is started in the same directory, without a `dataDir`, leaves its token. */
const TOKEN_FILE = join('.meshgate', 'admin-token');
const TIMEOUT_MS = 10_000;
const PAGE_SIZE = '1000';

/** For the usage of verbs. */
export const ADMIN_USAGE = `MESHGATE_ADMIN is the address of the admin API (default: ${DEFAULT_ADDRESS}), MESHGATE_TOKEN its
token (default: what is in ./${TOKEN_FILE}).`;

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
  readonly staleness_seconds: number;
}

/** Rejects with an `AdminFailure` where the address is none, or there is no token. */
export async function openAdminClient(io: VerbIo): Promise<AdminClient> {
  const base = toBase(io.env['MESHGATE_ADMIN'] ?? DEFAULT_ADDRESS);
  const token = io.env['MESHGATE_TOKEN'] ?? (await readToken(io.cwd));
  const address = base.href.replace(/\/$/, '');

  async function ask<Answer>(path: string, init: RequestInit, signal?: AbortSignal) {
    const limits = [AbortSignal.timeout(TIMEOUT_MS), ...(signal === undefined ? [] : [signal])];
    const url = new URL(path, base);
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        ...init,
        headers: {
          authorization: `Bearer ${token}`,
          ...(init.body !== undefined && { 'content-type': 'application/json' }),
        },
        // The token is for this address alone.
        redirect: 'error',
        signal: AbortSignal.any(limits),
      });
      text = await response.text();
    } catch (error) {
      throw unreachable(address, error);
    }
    if (response.status === 204) return undefined as Answer;
    const body = parse(text);
    if (response.ok && body !== undefined) return body as Answer;
    throw refused(address, response.status, body);
  }

  return {
    address,
    async list<Item>(path: string, query = {}, signal?: AbortSignal): Promise<Listed<Item>> {
      const items: Item[] = [];
      let stalenessSeconds = 0;
      let cursor: string | null = null;
      do {
        const search = new URLSearchParams({ ...query, page_size: PAGE_SIZE });
        if (cursor !== null) search.set('cursor', cursor);
        const url = `${path}?${search.toString()}`;
        const page: Page<Item> = await ask<Page<Item>>(url, {}, signal);
        items.push(...page.items);
        stalenessSeconds = Math.max(stalenessSeconds, page.staleness_seconds);
        cursor = page.next_cursor;
      } while (cursor !== null);
      return { items, stalenessSeconds };
    },
    put: (path, body) => ask(path, { method: 'PUT', body: JSON.stringify(body) }),
    post: (path, body) => ask(path, { method: 'POST', body: JSON.stringify(body) }),
    delete: (path) => ask(path, { method: 'DELETE' }),
  };
}

function toBase(text: string): URL {
  const url = URL.parse(text.endsWith('/') ? text : `${text}/`);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new AdminFailure(
    `MESHGATE_ADMIN is no address of an admin API: ${JSON.stringify(text)}; write it like ${DEFAULT_ADDRESS}`,
  );
}

async function readToken(cwd: string): Promise<string> {
  try {
    return (await readFile(join(cwd, TOKEN_FILE), 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is none here' : `it cannot be read (${code})`;
    throw new AdminFailure(
      `there is no token: MESHGATE_TOKEN is not set, and of ./${TOKEN_FILE} ${reason}.
The first start of a node writes one to admin-token in its data directory.`,
    );
  }
}

function unreachable(address: string, error: unknown): AdminFailure {
  const cause = (error as { cause?: NodeJS.ErrnoException }).cause;
  const isLate = (error as Error).name === 'TimeoutError';
  const reason = isLate
    ? `no answer within ${TIMEOUT_MS / 1000} s`
    : (cause?.code ?? cause?.message ?? (error as Error).message);
  return new AdminFailure(
    `no admin API can be reached at ${address} (${reason}).
Is a node running there? Another address is named in MESHGATE_ADMIN, such as ${DEFAULT_ADDRESS}.`,
    false,
  );
}

interface Refusal {
  readonly code?: unknown;
  readonly detail?: unknown;
  readonly errors?: readonly {
    readonly detail: string;
    readonly pointer?: string;
    readonly parameter?: string;
  }[];
}

function refused(address: string, status: number, body: unknown): AdminFailure {
  const { code, detail, errors = [] } = (body ?? {}) as Refusal;
  if (typeof detail !== 'string') {
    return new AdminFailure(
      `what answers at ${address} is no admin API (status ${status}); name its address in MESHGATE_ADMIN`,
    );
  }
  if (status === 401) {
    return new AdminFailure(
      `${code === 'token_expired' ? 'the token has expired' : `${address} does not know the token`}.
Its own is in admin-token in the data directory of the node; put it into MESHGATE_TOKEN.`,
    );
  }
  const faults = errors.map((fault) => `\n${fault.pointer ?? fault.parameter}: ${fault.detail}`);
  // Who came too often may come later.
  return new AdminFailure(`${detail}${faults.join('')}`, status < 500 && status !== 429);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
