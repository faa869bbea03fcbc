/** The schema of `node`: who this running Meshgate is. */
import { Type } from 'typebox';
import { CLOSED, Name } from './scalar.ts';

export const Node = Type.Object(
  {
    name: Type.Optional(Name('Name of this node. Default: the host name and a random suffix.')),
    zone: Type.Optional(Name('Where it runs, such as an availability zone.')),
    workers: Type.Literal(1, {
      default: 1,
      description: 'Data-plane processes; 1 serves in the main process.',
    }),
  },
  { ...CLOSED, default: {}, description: 'This node.' },
);
