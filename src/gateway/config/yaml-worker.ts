/** The thread of `yaml-text.ts`: reads one text, and hands it over piece by piece. */
import { once } from 'node:events';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { giveWay } from './give-way.ts';
import { toJsonPieces } from './json-pieces.ts';
import { parseYaml, type YamlMessage } from './yaml-text.ts';

async function tell(port: MessagePort, text: string): Promise<void> {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  const send = (message: YamlMessage): void => port.postMessage(message);
  const reading = parseYaml(text);
  if (!reading.ok) return send(reading);
  for (const piece of toJsonPieces(reading.value)) {
    const taken = once(port, 'message');
    send({ ok: true, piece });
    await taken;
  }
  send({ ok: true, piece: undefined });
  port.unref();
}

if (parentPort !== null) {
  giveWay();
  await tell(parentPort, workerData as string);
}
