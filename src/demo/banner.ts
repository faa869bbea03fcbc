/** What the demo says once it is up: one command for each thing that its configuration shows. */

/** Origins of the gateway's listeners. */
export interface DemoDoors {
  readonly http: string;
  readonly https: string;
  readonly status: string;
  /** For `http_proxy`. */
  readonly outbound: string;
  /** How the command line is called about this gateway, e.g. `npx meshgate`. */
  readonly cli?: string | undefined;
}

interface Trial {
  readonly expect: string;
  readonly command: string;
}

/** Sixteen bytes in Base64, as RFC 6455 asks for. */
const WEBSOCKET_KEY = 'bWVzaGdhdGUgZGVtbyBrZQ==';

export function toBanner(doors: DemoDoors, token: string): string {
  const trials = toTrials(doors, token).map(({ expect, command }) => `# ${expect}\n${command}`);
  return `
The demo is up. Paste these into another terminal; -k is for the certificate made for development.

${trials.join('\n\n')}

`;
}

function toTrials(doors: DemoDoors, token: string): Trial[] {
  const { http, https, status, outbound, cli } = doors;
  return [
    {
      expect: 'the gateway answers by itself: 200',
      command: `curl -sk ${https}/hello`,
    },
    {
      expect: 'an open route to two instances, by turns: see "servedBy"',
      command: `curl -sk '${https}/users/1?try=[1-4]'`,
    },
    {
      expect: 'users asks orders through the mesh: see both "servedBy"',
      command: `curl -sk ${https}/users/1/orders`,
    },
    {
      expect: 'so can any client of this machine that knows http_proxy',
      command: `curl -s --proxy ${outbound} http://orders.mesh/orders/1`,
    },
    {
      expect: 'a protected route, without a token: 401',
      command: `curl -ski ${https}/orders/1`,
    },
    {
      expect: 'and with one, which is good for an hour: 200, and the service is told who calls',
      command: `curl -sk -H 'Authorization: Bearer ${token}' ${https}/orders/1`,
    },
    {
      expect: '5 requests in 10 s: five times 200, then 429',
      command: `curl -sk -o /dev/null -w '%{http_code}\\n' '${https}/limited/1?try=[1-7]'`,
    },
    {
      expect: 'a canary: about one of ten answers is from "version":"v2"',
      command: `curl -sk '${https}/canary/1?try=[1-20]'`,
    },
    {
      expect: 'server-sent events: three, a second apart',
      command: `curl -skN '${https}/events?count=3'`,
    },
    {
      expect: 'a WebSocket: 101, a greeting, and the end; without ?count it is an echo',
      command: `curl -skiN --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: ${WEBSOCKET_KEY}' --output - '${https}/ws?count=1'`,
    },
    {
      expect: 'a redirect, of a path that has moved: 308 to /users/1',
      command: `curl -ski ${https}/old/1`,
    },
    {
      expect: 'a redirect, from http to https: 308',
      command: `curl -si ${http}/hello`,
    },
    {
      expect: 'what the gateway counts',
      command: `curl -s ${status}/metrics`,
    },
    ...(cli === undefined ? [] : toCliTrials(cli, https)),
  ];
}

function toCliTrials(cli: string, https: string): Trial[] {
  return [
    {
      expect: 'how the gateway is, asked of its admin API',
      command: `${cli} status`,
    },
    {
      expect: 'which route wins a request, what its plugins say, and where it goes',
      command: `${cli} explain GET ${https}/limited/1`,
    },
  ];
}
