/** Node's own HTTPS server without timeouts: what an idle connection costs who speaks HTTP on it. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [port, certificateFile] = process.argv.slice(2) as [string, string];
const pem = readFileSync(certificateFile);
const server = createServer({ cert: pem, key: pem, minVersion: 'TLSv1.3' }, (_request, answer) => {
  answer.end();
});
server.keepAliveTimeout = 0;
server.headersTimeout = 0;
server.requestTimeout = 0;
server.listen(Number(port), '127.0.0.1', 4096);
