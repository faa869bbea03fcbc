/** An endpoint that takes a TCP connection passes. */
import { connect } from 'node:net';
import { isOwnLack } from '../transport/connector.ts';
import type { Probe } from './probe.ts';

export const probeTcp: Probe = ({ host, port }, timeoutMs, report) => {
  const socket = connect({ host, port });
  const settle = (): void => {
    clearTimeout(timer);
    socket.removeAllListeners();
    socket.on('error', ignore);
    socket.destroy();
  };
  const timer = setTimeout(() => {
    settle();
    report({ result: 'fail', detail: `no connection within ${timeoutMs} ms` });
  }, timeoutMs);
  socket.once('connect', () => {
    settle();
    report({ result: 'pass', detail: 'connected' });
  });
  socket.once('error', (error: NodeJS.ErrnoException) => {
    settle();
    const result = isOwnLack(error) ? 'warn' : 'fail';
    report({ result, detail: `no connection: ${error.code ?? error.message}` });
  });
  return { cancel: settle };
};

function ignore(): void {}
