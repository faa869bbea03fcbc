/** ip-filter: lets in, or keeps out, clients by their address. */
import { definePlugin, parseIpAddress, problem, Type, type ConfigIssue } from '../sdk/plugin.ts';
import { createAddressSet, parseRange } from './address-set.ts';

const Ranges = (description: string) =>
  Type.Optional(Type.Array(Type.String(), { minItems: 1, description }));

const IpFilterConfig = Type.Object(
  {
    allow: Ranges('Ranges (CIDR) and addresses to let in; all others are refused'),
    deny: Ranges('Ranges (CIDR) and addresses to refuse, also where `allow` has them'),
  },
  { additionalProperties: false },
);

function checkRanges(list: 'allow' | 'deny', texts: readonly string[] = []): ConfigIssue[] {
  return texts.flatMap((text, index) => {
    try {
      parseRange(text);
      return [];
    } catch (error) {
      return [{ path: `${list}[${index}]`, message: (error as Error).message }];
    }
  });
}

export const ipFilter = definePlugin({
  name: 'ip-filter',
  config: IpFilterConfig,
  stage: 'edge',
  check({ allow, deny }) {
    if (allow === undefined && deny === undefined) {
      return [{ path: '', message: 'filters nothing: give allow, deny or both' }];
    }
    return [...checkRanges('allow', allow), ...checkRanges('deny', deny)];
  },
  create({ allow, deny }) {
    const isAllowed = allow === undefined ? undefined : createAddressSet(allow);
    const isDenied = deny === undefined ? undefined : createAddressSet(deny);
    return {
      onRequest(exchange) {
        const address = parseIpAddress(exchange.peer.ip);
        // Whoever has no address that could be looked up is on no list of those let in,
        // and nobody can say that he is not on the other.
        const admitted =
          address !== undefined &&
          isDenied?.(address) !== true &&
          (isAllowed === undefined || isAllowed(address));
        return admitted
          ? undefined
          : problem(403, 'forbidden', { detail: 'This address has no access.' });
      },
    };
  },
});
