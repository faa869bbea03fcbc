/** Programs as people have them, with nothing but `http_proxy` set. Each is skipped where it is not installed. */
import { execFile, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { inspect, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetch as undiciFetch, ProxyAgent } from 'undici';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { CALLER, outboundOf, registered, untilServed } from './mesh-fixture.ts';
import { listen, type TestOrigin } from '../protocols/origins.ts';

const run = promisify(execFile);
const has = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;

let application: TestOrigin;
let node: TestGateway;
let proxy: string;
let env: Record<string, string | undefined>;

beforeAll(async () => {
  application = await listen(
    createServer((request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
      request.on('end', () => {
        response.end(`${request.method} ${request.headers.host}${request.url} ${bytes}`);
      });
    }),
  );
  const port = Number(application.address.split(':')[1]);
  node = await startGateway({ ...CALLER, register: [registered('orders', port)] });
  await untilServed(node, 'http://orders.mesh/');
  proxy = `http://127.0.0.1:${outboundOf(node)}`;
  env = { ...process.env, http_proxy: proxy, https_proxy: proxy, HTTP_PROXY: '', no_proxy: '' };
});

afterAll(async () => {
  await node?.stop();
  await application?.close();
});

describe.skipIf(!has('curl', '--version'))('curl', () => {
  const curl = async (...args: string[]): Promise<string> =>
    (await run('curl', ['-sS', '-m', '10', ...args], { env })).stdout;

  it('calls a service', async () => {
    expect(await curl('http://orders.mesh/a?b=c')).toBe('GET orders.mesh/a?b=c 0');
    expect(await curl('-d', 'x'.repeat(3000), 'http://orders.mesh/')).toBe(
      'POST orders.mesh/ 3000',
    );
  });

  it('is told why there is no https', async () => {
    const asked = run('curl', ['-sS', '-v', 'https://orders.mesh/'], { env });
    const { stderr } = await asked.then(
      () => Promise.reject(new Error('it did not fail')),
      (error: { stderr: string }) => error,
    );
    expect(stderr).toContain('405');
  });
});

describe.skipIf(!has('python3', '-c', 'import urllib.request'))('Python', () => {
  it('calls a service by urllib', async () => {
    const script = `
import urllib.request
print(urllib.request.urlopen('http://orders.mesh/a?b=c').read().decode())
print(urllib.request.urlopen('http://orders.mesh/', b'x' * 70000).read().decode())
try:
    urllib.request.urlopen('http://example.com/')
except urllib.error.HTTPError as error:
    print(error.code, error.headers['content-type'])
`;
    const { stdout } = await run('python3', ['-c', script], { env });
    expect(stdout.split('\n')).toEqual([
      'GET orders.mesh/a?b=c 0',
      'POST orders.mesh/ 70000',
      '404 application/problem+json',
      '',
    ]);
  });
});

describe('Node', () => {
  const script = `
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
get('http://orders.mesh/a?b=c', async (response) => console.log(await text(response)));
`;

  it('calls a service by node:http with the proxy of its environment', async () => {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...env, NODE_USE_ENV_PROXY: '1' },
    });
    expect(stdout).toBe('GET orders.mesh/a?b=c 0\n');
  });

  it('calls a service by an agent of its own that is given the environment', async () => {
    const own = script
      .replace('import { get }', 'import { Agent, get }')
      .replace("b=c',", "b=c', { agent: new Agent({ proxyEnv: process.env }) },");
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', own], { env });
    expect(stdout).toBe('GET orders.mesh/a?b=c 0\n');
  });

  it('calls a service by the global fetch with an agent of undici that does not tunnel', async () => {
    const fetching = "console.log(await (await fetch('http://orders.mesh/x')).text());";
    const setting = `import { EnvHttpProxyAgent, setGlobalDispatcher } from 'undici';
setGlobalDispatcher(new EnvHttpProxyAgent({ proxyTunnel: false }));`;
    const evaluate = (text: string) =>
      run(process.execPath, ['--input-type=module', '-e', text], {
        env: { ...env, NODE_USE_ENV_PROXY: '1' },
      });
    expect((await evaluate(`${setting}\n${fetching}`)).stdout).toBe('GET orders.mesh/x 0\n');
    // What its environment alone makes of it.
    await expect(evaluate(fetching)).rejects.toMatchObject({
      stderr: expect.stringContaining('Proxy response (405) !== 200'),
    });
  });

  it('is refused a tunnel with the reason, and calls a service by fetch without one', async () => {
    const tunnelling = new ProxyAgent({ uri: proxy, proxyTunnel: true });
    const failure: unknown = await undiciFetch('http://orders.mesh/', {
      dispatcher: tunnelling,
    }).catch((error: unknown) => error);
    expect(inspect(failure)).toContain('Proxy response (405) !== 200');
    const plain = new ProxyAgent({ uri: proxy, proxyTunnel: false });
    const response = await undiciFetch('http://orders.mesh/x', { dispatcher: plain });
    expect(await response.text()).toBe('GET orders.mesh/x 0');
    await Promise.all([tunnelling.close(), plain.close()]);
  });
});
