/** A gateway in a process of its own, whose memory a test can look at. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MAIN } from '../process/gateway-process.ts';

export interface GatewayProcess {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Bytes resident now. */
  residentBytes(): Promise<number>;
  /** Most bytes resident at any time since `forgetPeak`. */
  peakBytes(): Promise<number>;
  forgetPeak(): Promise<void>;
  stop(): Promise<void>;
}

/** `config` is what a user would write, less `meshgate: 1` and the listeners, which are `http` and `https`. */
export async function startGatewayProcess(config: object): Promise<GatewayProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'meshgate-process-'));
  const configFile = join(directory, 'meshgate.yaml');
  const document = {
    meshgate: 1,
    listeners: [
      { name: 'http', address: '127.0.0.1:0' },
      {
        name: 'https',
        address: '127.0.0.1:0',
        protocol: 'https',
        tls: { selfSigned: ['localhost'] },
      },
    ],
    status: { address: '127.0.0.1:0' },
    admin: { address: '127.0.0.1:0' },
    telemetry: { accessLog: { format: 'json', path: join(directory, 'access.log') } },
    ...config,
  };
  // JSON is YAML.
  await writeFile(configFile, JSON.stringify(document));
  const child = spawn(process.execPath, [MAIN, 'start', '--config', configFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += String(chunk)));
  const ports = new Map<string, number>();
  for await (const line of createInterface({ input: child.stdout })) {
    const told = /^meshgate: (\w+) listens on .*:(\d+)$/.exec(line);
    if (told !== null) ports.set(told[1]!, Number(told[2]));
    if (ports.size === 2) break;
  }
  if (ports.size < 2) throw new Error(`the gateway did not start: ${log}`);
  child.stdout.resume();
  const statusLine = async (name: string): Promise<number> => {
    const text = await readFile(`/proc/${child.pid}/status`, 'utf8');
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)![1]) * 1024;
  };

  return {
    httpPort: ports.get('http') ?? 0,
    httpsPort: ports.get('https') ?? 0,
    residentBytes: () => statusLine('VmRSS'),
    peakBytes: () => statusLine('VmHWM'),
    // proc(5): 5 resets the peak to what is resident now.
    forgetPeak: () => writeFile(`/proc/${child.pid}/clear_refs`, '5'),
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
