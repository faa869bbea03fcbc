/**
 * Reads the page at a URL whenever the process that started it says so, and tells it how that went. A
 * process of its own: to take in megabytes holds up whoever does it, and so the load that is measured.
 */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';

export interface Scrape {
  readonly tookMs: number;
  readonly bytes: number;
}

const [url] = process.argv.slice(2) as [string];

async function scrape(): Promise<void> {
  const start = performance.now();
  const [answer] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  let bytes = 0;
  answer.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  await once(answer, 'end');
  if (answer.statusCode !== 200) throw new Error(`a scrape is answered with ${answer.statusCode}`);
  const done: Scrape = { tookMs: performance.now() - start, bytes };
  process.send!(done);
}

process.on('message', () => void scrape());
