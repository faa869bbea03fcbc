/** A user's application as a process of its own: `application.ts NAME PORT`. Knows nothing of the mesh. */
import { createServer } from 'node:http';

const [name, port] = process.argv.slice(2) as [string, string];
const server = createServer((request, response) => {
  request.resume().once('end', () => response.end(name));
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('listens\n'));
// As servers do that are restarted with care: what is under way is finished.
process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
