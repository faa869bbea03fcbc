/** A client that is made of the OpenAPI document alone, and takes no answer that the document does not declare. */
import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { operationOf, type DescribedAnswer, type Operation } from './api-document.ts';
import { assertFits } from './declared-schemas.ts';

export interface Call {
  readonly path?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text goes as it is, another value as JSON. */
  readonly body?: unknown;
  /** Default: the first that the operation takes. */
  readonly contentType?: string;
  /** Null: none. Default: the client's. */
  readonly token?: string | null;
  /** It is meant to be wrong, and goes out as it is. */
  readonly isWrong?: boolean;
  /** Where the connection comes from. */
  readonly localAddress?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** JSON as a value, a stream of events or lines as a list, all else as text; undefined without a body. */
  // oxlint-disable-next-line typescript/no-explicit-any -- it has been held against its schema
  readonly body: any;
}

export interface Client {
  /** Rejects where the call or the answer is none that the document declares. */
  call(operationId: string, call?: Call): Promise<Answer>;
  /** The statuses that an operation has answered with. */
  seen(operationId: string): ReadonlySet<number>;
  close(): void;
}

export interface ServerEvent {
  readonly event: string;
  readonly data: unknown;
}

export function createClient(port: number, token: string): Client {
  const agent = new Agent({ keepAlive: true });
  const seen = new Map<string, Set<number>>();
  return {
    seen: (operationId) => seen.get(operationId) ?? new Set(),
    async call(operationId, call = {}) {
      const operation = operationOf(operationId);
      if (call.isWrong !== true) assertDeclared(operation, call);
      const { status, headers, text } = await send({ port, token, agent }, operation, call);
      const statuses = seen.get(operationId) ?? new Set();
      seen.set(operationId, statuses.add(status));
      return { status, headers, body: parseDeclared(operation, status, headers, text) };
    },
    close: () => agent.destroy(),
  };
}

function assertDeclared({ operationId, parameters, body }: Operation, call: Call): void {
  for (const place of ['path', 'query', 'headers'] as const) {
    const declared = parameters.filter(
      (one) => one.in === (place === 'headers' ? 'header' : place),
    );
    const given = call[place] ?? {};
    for (const { name, required, schema } of declared) {
      const value = given[name];
      if (value !== undefined) assertFits(`${name} of ${operationId}`, schema, value);
      else if (required) throw new Error(`${operationId} needs ${name}`);
    }
    const unknown = Object.keys(given).find(
      // OpenAPI tells of it by the types of the answer.
      (name) => name !== 'accept' && declared.every((one) => one.name !== name),
    );
    if (unknown !== undefined) throw new Error(`${operationId} has no parameter ${unknown}`);
  }
  const type = call.contentType ?? Object.keys(body?.content ?? {})[0];
  if ((body === undefined) !== (call.body === undefined)) {
    throw new Error(`${operationId} ${body === undefined ? 'takes no' : 'needs a'} body`);
  }
  if (body === undefined) return;
  const declared = body.content[type!];
  if (declared === undefined) throw new Error(`${operationId} takes no ${type}`);
  if (type!.includes('json')) {
    assertFits(`the body of ${operationId}`, declared.schema, call.body);
  }
}

function parseDeclared(
  { operationId, answers }: Operation,
  status: number,
  headers: IncomingHttpHeaders,
  text: string,
): unknown {
  const place = `${operationId}: the answer ${status}`;
  const declared = answers[status];
  if (declared === undefined) throw new Error(`${place} is not declared: ${text}`);
  for (const [name, { required, schema }] of Object.entries(declared.headers ?? {})) {
    const value = headers[name.toLowerCase()];
    if (value === undefined && required) throw new Error(`${place} has no ${name}`);
    const isNumber = schema['type'] === 'integer';
    if (value !== undefined) assertFits(`${place}, ${name}`, schema, isNumber ? +value : value);
  }
  const { content } = declared;
  if (content === undefined) {
    if (text !== '') throw new Error(`${place} has a body that is not declared: ${text}`);
    return undefined;
  }
  const type = (headers['content-type'] ?? '').split(';', 1)[0]!;
  const schema = content[type]?.schema;
  if (schema === undefined) throw new Error(`${place} is ${type}, which is not declared`);
  return parseBody(type, text, (value) => assertFits(place, schema, value));
}

type Media = keyof (DescribedAnswer['content'] & {});

function parseBody(type: Media, text: string, assertIsFit: (value: unknown) => void): unknown {
  if (type === 'application/x-ndjson') {
    const lines = text.split('\n').slice(0, -1);
    const values = lines.map((line) => JSON.parse(line) as unknown);
    for (const value of values) assertIsFit(value);
    return values;
  }
  if (type === 'text/event-stream') {
    const events = parseEvents(text);
    for (const { event, data } of events) if (event === 'exchange') assertIsFit(data);
    return events;
  }
  const value: unknown = type.endsWith('json') ? JSON.parse(text) : text;
  assertIsFit(value);
  return value;
}

function parseEvents(text: string): readonly ServerEvent[] {
  const blocks = text.split('\n\n').map((block) => /^event: (.*)\ndata: (.*)$/.exec(block));
  return blocks.flatMap((match) =>
    match === null ? [] : [{ event: match[1]!, data: JSON.parse(match[2]!) as unknown }],
  );
}

interface Connection {
  readonly port: number;
  readonly token: string;
  readonly agent: Agent;
}

/** By node:http, which sends the Host that it is told. */
function send(
  { port, token: own, agent }: Connection,
  { path: template, method, body: taken }: Operation,
  call: Call,
): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
  const { path: values = {}, query = {}, headers = {}, body, token = own, localAddress } = call;
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(values[name])),
  );
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  const { contentType = Object.keys(taken?.content ?? {})[0] } = call;
  const payload = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        agent,
        method,
        path: search === '' ? path : `${path}?${search}`,
        ...(localAddress !== undefined && { localAddress }),
        headers: {
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(payload !== undefined &&
            contentType !== undefined && { 'content-type': contentType }),
          // As a whole, so that it is known before what is sent.
          ...(payload !== undefined && { 'content-length': Buffer.byteLength(payload) }),
          ...headers,
        },
      },
      (response) => {
        const { statusCode, headers: fields } = response;
        readText(response)
          .then((text) => resolve({ status: statusCode!, headers: fields, text }))
          .catch(reject);
      },
    );
    sent.on('error', reject);
    sent.end(payload);
  });
}
