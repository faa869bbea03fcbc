/** An instance as its own process, to be killed: `instance-process.ts REDIS SERVICE PORT`. */
import { createServer } from 'node:http';
import { joinMesh } from './mesh-member.ts';

const [redis, service, port] = process.argv.slice(2) as [string, string, string];
const member = await joinMesh(redis);
createServer((_request, response) => response.end('ok')).listen(Number(port), '127.0.0.1');
const instance = { id: `127.0.0.1:${port}`, host: '127.0.0.1', port: Number(port) };
await member.register(service, instance);
