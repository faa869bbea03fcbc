/** All proxies of the benchmark, in the order of the tables. */
import { caddy } from './caddy.ts';
import { haproxy } from './haproxy.ts';
import { httpProxy } from './http-proxy.ts';
import { meshgate } from './meshgate.ts';
import { nginx } from './nginx.ts';
import type { Peer } from './peer.ts';

export const PEERS: readonly Peer[] = [meshgate, nginx, haproxy, caddy, httpProxy];
