/** Joins a mesh, awaits nothing of what it asks for, leaves, and must end by itself: `REDIS_PORT`. */
import { createMesh } from '../../../src/client/client.ts';

const mesh = createMesh({
  redis: `redis://127.0.0.1:${process.argv[2]}`,
  services: { orders: {} },
});
void mesh.register({ service: 'orders', address: 1 });
void mesh.register({ service: 'orders', address: 3001, healthCheck: false });
fetch('http://users.mesh/', { dispatcher: mesh.dispatcher }).catch(() => undefined);
await mesh.ready({ timeoutMs: 300 }).catch(() => undefined);
await mesh.close({ noticeMs: 0 });
console.log('closed');
