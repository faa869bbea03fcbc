/** Answers of the demo's services. */
import type { ServerResponse } from 'node:http';

/** Ends with a line break, for terminals. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** The parts of a path, without those of the query. */
export function pathSteps(target = '/'): string[] {
  return (target.split('?', 1)[0] ?? '').split('/').filter((step) => step !== '');
}

/** The query parameter `count`: a number of messages, or undefined for no end. */
export function parseCount(target = '/'): number | undefined {
  const text = /[?&]count=([0-9]{1,6})(?:&|$)/.exec(target)?.[1];
  return text === undefined ? undefined : Number(text);
}
