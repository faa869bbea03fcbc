/** The thread of `yaml-text.ts`: reads one text. */
import { parentPort, workerData } from 'node:worker_threads';
import { parseYaml, type YamlMessage } from './yaml-text.ts';

const reading = parseYaml(workerData as string);
const message: YamlMessage = reading.ok
  ? { ok: true, json: JSON.stringify(reading.value) }
  : reading;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage(message);
