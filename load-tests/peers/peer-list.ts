/** All proxies of the benchmark, in the order of the tables. */
import { caddy } from './caddy.ts';
import { haproxy } from './haproxy.ts';
import { httpProxy } from './http-proxy.ts';
import { meshgate } from './meshgate.ts';
import { meshgateMesh } from './meshgate-mesh.ts';
import { nginx } from './nginx.ts';
import type { Peer } from './peer.ts';

export const PEERS: readonly Peer[] = [meshgate, meshgateMesh, nginx, haproxy, caddy, httpProxy];
