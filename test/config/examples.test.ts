import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSigningKey } from '../../src/demo/signing-key.ts';
import { loadConfig } from '../../src/gateway/config/load.ts';
import {
  developmentCertificatePath,
  loadDevelopmentCertificate,
} from '../../src/gateway/listener/development-certificate.ts';
import { standardPlugins } from '../../src/plugins/standard.ts';

const EXAMPLES = resolve(import.meta.dirname, '../../config/examples');
const names = (await readdir(EXAMPLES)).filter((name) => name.endsWith('.yaml'));

const load = (file: string) => loadConfig(file, { catalogue: standardPlugins, env: {} });

describe('the examples', () => {
  it('show what they are there for', () => {
    expect(names).toEqual(
      expect.arrayContaining([
        'canary.yaml',
        'dns-service.yaml',
        'grpc.yaml',
        'jwt.yaml',
        'tls-certificates.yaml',
        'websocket.yaml',
      ]),
    );
  });

  it.each(names)('%s is accepted without a warning', async (name) => {
    const result = await load(join(EXAMPLES, name));
    expect(result.ok ? result.warnings : result.issues).toEqual([]);
  });

  it.each(names)('%s names the schema for editors, and explains itself', async (name) => {
    const text = await readFile(join(EXAMPLES, name), 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\.\/meshgate\.schema\.json\n/);
    expect(text.match(/(?:^|\s)# /gm)!.length).toBeGreaterThan(4);
  });

  it('tls-certificates.yaml is accepted with its certificates too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'meshgate-examples-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const text = await readFile(join(EXAMPLES, 'tls-certificates.yaml'), 'utf8');
    const real = text.replaceAll(/# (?=certificates:|clientCa:|clientAuth:)/g, '');
    const files = [...real.matchAll(/certs\/[a-z-]+\.(?:pem|key)/g)].map(([file]) => file);
    expect(files).toHaveLength(7);
    const clock = { now: Date.now, monotonic: () => performance.now() };
    await loadDevelopmentCertificate({ names: ['example.com'], dataDir: folder, clock });
    const pem = await readFile(developmentCertificatePath(folder));
    await mkdir(join(folder, 'certs'));
    for (const file of files) await writeFile(join(folder, file), pem);
    await writeFile(join(folder, 'meshgate.yaml'), real);
    const result = await load(join(folder, 'meshgate.yaml'));
    expect(result.ok ? result.warnings : result.issues).toEqual([]);
    expect(result.ok && result.config.listeners.map(({ tls }) => tls?.certificates.length)).toEqual(
      [undefined, 2, 1],
    );
  });
});

describe('the configuration of the demo', () => {
  it('is accepted once the demo has made its keys, and names their file before', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'meshgate-examples-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'meshgate.yaml');
    await copyFile(resolve(EXAMPLES, '../meshgate.yaml'), file);
    const keys = join(folder, '.meshgate/demo/jwks.json');
    expect(await load(file)).toMatchObject({
      ok: false,
      issues: [{ message: `the file ${keys} does not exist` }],
    });
    await createSigningKey(keys);
    const result = await load(file);
    expect(result.ok ? result.warnings : result.issues).toEqual([]);
  });
});
