/** What the battery has to know of an operation, beside what the document says of it. */
import type { FleetNode, OperationFleet } from './operation-fleet.ts';
import type { Answer, Call } from './generated-client.ts';

type Ask = (operationId: string, call?: Call) => Promise<Answer>;

/** By which way an operation is asked: of node a itself, or of node b through it. */
export interface Way {
  readonly fleet: OperationFleet;
  /** Of what is made this way; another way makes others. */
  readonly name: string;
  /** As the document names the operation of this way. */
  readonly idOf: (operationId: string) => string;
  /** Asks the node that has the operation. */
  readonly call: Ask;
  /** Of the node whose file owns the configuration. */
  readonly callOwner: Ask;
  /** The node that answers in the end. */
  readonly node: FleetNode;
}

export interface Entry {
  /** Everything right with it; what is to be refused is made of it. */
  readonly good: Call;
  /** Makes it answer with every status of success that it has. */
  succeed(way: Way): Promise<void>;
  /** The refusals that are of its own kind. */
  readonly refuse?: Readonly<Partial<Record<number, (way: Way) => Promise<Answer>>>>;
}

export const direct = (fleet: OperationFleet): Way => ({
  fleet,
  name: 'direct',
  idOf: (operationId) => operationId,
  call: (operationId, call) => fleet.a.client.call(operationId, call),
  callOwner: (operationId, call) => fleet.c.client.call(operationId, call),
  node: fleet.a,
});

export const forwarded = (fleet: OperationFleet): Way => {
  const callOf = (node: string, operationId: string, call: Call = {}): Promise<Answer> =>
    fleet.a.client.call(`${operationId}OfNode`, { ...call, path: { node, ...call.path } });
  return {
    fleet,
    name: 'forwarded',
    idOf: (operationId) => `${operationId}OfNode`,
    call: (operationId, call) => callOf('b', operationId, call),
    callOwner: (operationId, call) => callOf('c', operationId, call),
    node: fleet.b,
  };
};
