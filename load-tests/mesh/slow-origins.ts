/** Origins that take their time: `slow-origins.ts PORT,PORT,… MS,MS,…`. */
import { createServer } from 'node:http';

const [ports, delays] = process.argv.slice(2).map((list) => list.split(',').map(Number));
for (const [i, port] of ports!.entries()) {
  const delayMs = delays![i]!;
  createServer((_request, response) => {
    setTimeout(() => response.end('ok'), delayMs);
  }).listen(port, '127.0.0.1');
}
