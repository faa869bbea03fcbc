/** An upstream that answers by bytes as they stand in a test, right or wrong. */
import { createServer, type Socket } from 'node:net';
import { listen, type TestOrigin } from '../protocols/origins.ts';

export type Script = (socket: Socket, target: string) => void;

export interface ScriptedUpstream extends TestOrigin {
  /** Plays on every request head that has come. */
  script: Script;
}

/** For requests without bodies: each head that ends is one. */
export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  const server = createServer((socket) => {
    let waiting = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      waiting += text;
      for (let end = waiting.indexOf('\r\n\r\n'); end !== -1; end = waiting.indexOf('\r\n\r\n')) {
        const [, target = ''] = waiting.split(' ', 2);
        waiting = waiting.slice(end + 4);
        upstream.script(socket, target);
      }
    });
  });
  const origin = await listen(server);
  const upstream: ScriptedUpstream = { ...origin, script: () => undefined };
  return upstream;
}
