/** HTTP/1 of the full lane: node:http parses, Fastify hosts, the door serves. */
import {
  createServer,
  METHODS,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import fastify from 'fastify';
import { MeshgateError } from '../../../errors.ts';
import type { ConnectionOrigin } from '../lane-connection.ts';
import { expectationFailed, methodRefused } from '../request-refusals.ts';
import { Http1Body, Http1Request } from './http1-body.ts';
import { Http1Downstream, Http1Response } from './http1-downstream.ts';
import { asksForWebSocket, readHttp1Head, type Http1Head } from './http1-intake.ts';
import type { Http1ClientError } from '../http1-refusal.ts';
import type { Http1Surroundings } from '../http1-surroundings.ts';
import { Http1Session } from './http1-session.ts';

export interface Http1Server {
  /** Takes over a connection whose bytes are HTTP/1; `served`: requests of it before. */
  serve(socket: Socket, origin: ConnectionOrigin, served?: number): Http1Session;
  readonly sessions: ReadonlySet<Http1Session>;
  /** Ends the server's timers; connections that are left are no longer watched. */
  close(): Promise<void>;
}

/** Fields beyond these node:http refuses by itself: its default, unless a listener allows more. */
const PARSED_FIELDS = 2000;

const SESSION = Symbol('http1Session');
type SessionSocket = Socket & { [SESSION]?: Http1Session };

export async function createHttp1Server(options: Http1Surroundings): Promise<Http1Server> {
  const { limits } = options;
  const sessions = new Set<Http1Session>();
  let server: Server<typeof Http1Request, typeof Http1Response> | undefined;

  const app = fastify<Server>({
    serverFactory: (route) => {
      const made = createServer(
        {
          IncomingMessage: Http1Request,
          ServerResponse: Http1Response,
          // llhttp counts target and fields together; each has its own limit when it is read.
          maxHeaderSize: limits.maxHeaderBytes + limits.maxTargetBytes,
          headersTimeout: limits.headerTimeoutMs,
          // A body takes as long as it takes; its pauses are the forwarder's to judge.
          requestTimeout: 0,
          keepAliveTimeout: limits.idleTimeoutMs,
          keepAliveTimeoutBuffer: 0,
          connectionsCheckingInterval: Math.max(
            50,
            Math.min(1000, Math.ceil(limits.headerTimeoutMs / 4)),
          ),
          insecureHTTPParser: false,
          // A request without a body needs nothing of a stream's life.
          optimizeEmptyRequests: true,
          // Node answers a missing Host by itself, past the door.
          requireHostHeader: false,
          shouldUpgradeCallback: upgrades,
        },
        (request, response) => {
          // Fastify's router reads a target as a path; any other form it would alter or refuse.
          if (request.url!.charCodeAt(0) === SLASH) route(request, response);
          else take(request, response, false);
        },
      );
      made.maxHeadersCount = Math.max(PARSED_FIELDS, limits.maxHeaderFields + 1);
      server = made;
      return made as unknown as Server;
    },
    clientErrorHandler: (error, socket) => failed(error as unknown as Http1ClientError, socket),
    frameworkErrors: (_error, request, reply) => handOver(request, reply),
    exposeHeadRoutes: false,
    return503OnClosing: false,
  });
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true });
  }
  // Never calls `done`: nothing of Fastify's lifecycle, such as parsing bodies, comes after.
  app.addHook('onRequest', (request, reply, _done) => handOver(request, reply));
  app.all('*', handOver);
  app.setNotFoundHandler(handOver);
  await app.ready();
  if (server === undefined) throw new Error('Fastify has not asked for a server');
  const http = server;

  function handOver(
    request: { readonly raw: IncomingMessage },
    reply: { readonly raw: ServerResponse; hijack(): unknown },
  ): void {
    reply.hijack();
    take(request.raw as Http1Request, reply.raw as Http1Response, false);
  }

  function upgrades(request: Http1Request): boolean {
    // With answers still due, the switch would overtake them; RFC 9110 §7.8 lets us ignore it.
    const taken = sessionOf(request.socket)?.idle === true && asksForWebSocket(request);
    request.declinedUpgrade = !taken;
    return taken;
  }

  function take(request: Http1Request, response: Http1Response, expectContinue: boolean): void {
    const session = sessionOf(request.socket);
    if (session === undefined || session.closing) {
      request.resume();
      return;
    }
    const head = readHttp1Head(request, limits);
    if (head instanceof MeshgateError) {
      refuse(session, request, response, head);
      return;
    }
    const body =
      head.bodyLength === 0
        ? undefined
        : new Http1Body(request, response, head.bodyLength, expectContinue);
    session.received(response, body);
    // node:http drops what came in one packet behind such a request: the next one would begin
    // in its middle.
    if (request.declinedUpgrade) session.closeWith(response);
    if (session.busy) serveLater(session, request, response, head, body, expectContinue);
    else serve(session, request, response, head, body, expectContinue);
  }

  function serve(
    session: Http1Session,
    request: Http1Request,
    response: Http1Response,
    head: Http1Head,
    body: Http1Body | undefined,
    expectContinue: boolean,
  ): void {
    const downstream = new Http1Downstream(session, request, response, body);
    options.door.serve(
      {
        connection: session.connection(request.httpVersionMinor),
        method: request.method!,
        target: request.url!,
        authority: head.authority,
        headers: head.headers,
        body,
        upgrade: undefined,
        expectContinue: expectContinue && body !== undefined,
      },
      downstream,
    );
  }

  /** Apart, since a closure would cost every request. */
  function serveLater(session: Http1Session, ...request: TailOf<Parameters<typeof serve>>): void {
    session.serveLater(() => serve(session, ...request));
  }

  /** In its turn. */
  function refuse(
    session: Http1Session,
    request: Http1Request,
    response: Http1Response,
    error: MeshgateError,
  ): void {
    session.received(response, undefined);
    session.closeWith(response);
    const answerIt = (): void => {
      const downstream = new Http1Downstream(session, request, response, undefined);
      const answer = options.door.refuse(session.connection(request.httpVersionMinor), error);
      session.closeWhenAnswered();
      downstream.answer(answer.status, answer.headers, answer.body);
      request.resume();
    };
    if (session.busy) session.serveLater(answerIt);
    else answerIt();
  }

  function upgrade(request: Http1Request, socket: Socket, rest: Buffer): void {
    const session = sessionOf(socket);
    if (session === undefined || session.closing) {
      socket.destroy();
      return;
    }
    // node:http has let go of the socket: the answer, should it not be 101, closes it.
    const response = new Http1Response(request);
    response.assignSocket(socket);
    if (rest.length > 0) socket.unshift(rest);
    const head = readHttp1Head(request, limits);
    if (head instanceof MeshgateError) {
      refuse(session, request, response, head);
      return;
    }
    session.received(response, undefined);
    const downstream = new Http1Downstream(session, request, response, undefined);
    session.closeWith(response);
    session.closeWhenAnswered();
    socket.on('drain', () => downstream.drained());
    options.door.serve(
      {
        connection: session.connection(1),
        method: request.method!,
        target: request.url!,
        authority: head.authority,
        headers: head.headers,
        body: undefined,
        upgrade: 'websocket',
        expectContinue: false,
      },
      downstream,
    );
  }

  function failed(error: Http1ClientError, socket: Socket): void {
    const session = sessionOf(socket);
    if (session === undefined) socket.destroy();
    else session.failed(error);
  }

  http.on('checkContinue', (request, response) => {
    // node:http also takes a list that has 100-continue in it.
    if (request.headers.expect?.toLowerCase() === '100-continue') take(request, response, true);
    else expectsTooMuch(request, response);
  });
  http.on('checkExpectation', expectsTooMuch);
  function expectsTooMuch(request: Http1Request, response: Http1Response): void {
    const session = sessionOf(request.socket);
    if (session === undefined || session.closing) return;
    refuse(session, request, response, expectationFailed());
  }
  http.on('upgrade', (request, socket, rest) => upgrade(request, socket as Socket, rest));
  http.on('connect', (request, socket) => {
    const session = sessionOf(socket as Socket);
    if (session === undefined || !session.idle) socket.destroy();
    else session.refuse(methodRefused(request.method!, options.view.facts.door));
  });
  // Starts node:http's watch over header timeouts, which it does when a server listens.
  // This one never does: its connections are accepted elsewhere.
  http.emit('listening');
  // Else it ends its side as soon as the client has; whether that one has left is the session's to tell.
  (http as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true;
  const timer = setInterval(() => {
    const nowMs = options.clock.monotonic();
    for (const session of sessions) session.second(nowMs);
  }, 1000).unref();

  return {
    sessions,
    serve(socket: SessionSocket, origin, served = 0) {
      const session = new Http1Session(socket, origin, options, served);
      socket[SESSION] = session;
      sessions.add(session);
      socket.once('close', () => {
        sessions.delete(session);
        session.gone();
      });
      http.emit('connection', socket);
      // After node:http, which has seen by then whether a request was cut off.
      socket.on('end', () => session.halfClosed());
      return session;
    },
    async close() {
      clearInterval(timer);
      // Stops the watch; there is no socket of its own to close, which it then reports.
      http.close(() => undefined);
      await app.close();
    },
  };
}

const SLASH = 47;

type TailOf<T extends unknown[]> = T extends [unknown, ...infer Tail] ? Tail : never;

function sessionOf(socket: Socket): Http1Session | undefined {
  return (socket as SessionSocket)[SESSION];
}
