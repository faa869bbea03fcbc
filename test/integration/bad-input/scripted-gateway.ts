/** A gateway before upstreams that a test scripts, over HTTP/1.1 and HTTP/2, with one connection to each. */
import { expect } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { startHttp2Origin, type StreamHandler } from '../protocols/origins.ts';
import { ask, get } from './doors.ts';
import { startScriptedUpstream, type Script } from './scripted-upstream.ts';

export const OK = 'HTTP/1.1 200 OK\r\n';

export interface ScriptedGateway {
  readonly gateway: TestGateway;
  /** Of the HTTP/1.1 upstream, as an endpoint of a service has it. */
  readonly address: string;
  /** Lets the HTTP/1.1 upstream play; resolves when the connection it first played on has closed. */
  play(script: Script): Promise<void>;
  /** Lets the HTTP/2 upstream play, which serves `/http2`. */
  playHttp2(script: StreamHandler): void;
  /** What has gone wrong before does not touch the next exchange. */
  expectHealthyNext(): Promise<void>;
  stop(): Promise<void>;
}

export async function startScriptedGateway(): Promise<ScriptedGateway> {
  const upstream = await startScriptedUpstream();
  let http2Script: StreamHandler = (stream) => stream.close();
  const http2Upstream = await startHttp2Origin((...call) => http2Script(...call));
  const once = { retry: { attempts: 0 }, circuitBreaker: { maxConnections: 1 } };
  const gateway = await startGateway({
    services: {
      scripted: { ...once, endpoints: [{ address: upstream.address }] },
      http2: { ...once, protocol: 'h2c', endpoints: [{ address: http2Upstream.address }] },
    },
    routes: [
      { name: 'http2', match: { path: '/http2' }, to: 'http2' },
      { name: 'all', to: 'scripted' },
    ],
  });

  return {
    gateway,
    address: upstream.address,
    play(script) {
      const { promise, resolve } = Promise.withResolvers<void>();
      let listening = false;
      upstream.script = (socket, target) => {
        if (!listening) socket.once('close', () => resolve());
        listening = true;
        script(socket, target);
      };
      return promise;
    },
    playHttp2(script) {
      http2Script = script;
    },
    async expectHealthyNext() {
      upstream.script = (socket, target) => {
        const body = `answer to ${target}`;
        socket.write(`${OK}Content-Length: ${body.length}\r\n\r\n${body}`);
      };
      expect(await ask(gateway, get('/next'))).toMatchObject({
        status: 200,
        body: 'answer to /next',
      });
    },
    async stop() {
      await gateway.stop();
      await Promise.all([upstream.close(), http2Upstream.close()]);
    },
  };
}
