/** The thread of `yaml-text.ts`: reads one text, and hands it over piece by piece. */
import { once } from 'node:events';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { giveWay } from './give-way.ts';
import type { YamlMessage } from './yaml-text.ts';

async function tell(port: MessagePort, text: string): Promise<void> {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  const send = (message: YamlMessage): void => port.postMessage(message);
  // Imported only now that it gives way: to load it takes longer than to read most texts.
  const [{ toJsonPieces }, { parseYaml }] = await Promise.all([
    import('./json-pieces.ts'),
    import('./yaml-text.ts'),
  ]);
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
