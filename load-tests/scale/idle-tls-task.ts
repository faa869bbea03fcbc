/**
 * Opens so many TLS connections to a port, from several addresses of the loopback interface, with one
 * request on each, tells the process that started it, and keeps them until it is ended.
 */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

/** An address has some 28,000 ports for connections to one place. */
const PER_ADDRESS = 5_000;
const AT_ONCE = 64;

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const sockets: TLSSocket[] = [];
let begun = 0;
let lost = 0;

async function open(): Promise<void> {
  while (begun < count) {
    const localAddress = `127.0.0.${2 + Math.floor(begun++ / PER_ADDRESS)}`;
    const socket = connect({
      socket: connectTcp({ host: '127.0.0.1', port, localAddress }),
      servername: 'localhost',
      // The certificate is the bench's own.
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    socket.on('close', () => lost++).resume();
    sockets.push(socket);
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, open));
process.send!({ opened: sockets.length });
process.on('message', () => process.send!({ opened: sockets.length - lost }));
