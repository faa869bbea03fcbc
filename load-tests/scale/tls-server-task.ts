/** Node's own TLS server, which answers anything with the same: what an idle connection costs at least. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:tls';

const [port, certificateFile] = process.argv.slice(2) as [string, string];
const pem = readFileSync(certificateFile);
createServer({ cert: pem, key: pem, minVersion: 'TLSv1.3' }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', () => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
}).listen(Number(port), '127.0.0.1', 4096);
