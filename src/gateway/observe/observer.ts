/** What the request path tells of itself; metrics, access log and traces hang behind it. */
import type { MeshgateError } from '../../errors.ts';
import type { Connection } from '../exchange/connection.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';

export interface Observer {
  /** Probability that a trace which begins here is recorded. */
  readonly traceSample: number;
  /** An exchange has ended, however it ended. Called once for each. */
  finished(exchange: GatewayExchange): void;
  /** Bytes that never became an exchange were refused. */
  refused(connection: Connection, error: MeshgateError, id: string): void;
  /** A plugin failed on an answer that the gateway made; the answer went out without it. */
  answerHookFailed(exchange: GatewayExchange, error: unknown): void;
}
