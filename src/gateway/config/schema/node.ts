/** The schema of `node`: who this running Meshgate is. */
import { Type } from 'typebox';
import { CLOSED, Name } from './scalar.ts';

export const Node = Type.Object(
  {
    name: Type.Optional(Name('Name of this node. Default: the host name and a random suffix.')),
    zone: Type.Optional(Name('Where it runs, such as an availability zone.')),
    workers: Type.Union([Type.Integer({ minimum: 1, maximum: 256 }), Type.Literal('auto')], {
      default: 1,
      description:
        'Data-plane processes. 1: the main process serves. `auto`: one for each processor; with more than one the main process hands connections to them and replaces those that end.',
    }),
  },
  { ...CLOSED, default: {}, description: 'This node.' },
);
