/** A gateway in front of one upstream; a test writes every byte on both sides. */
import { connectRaw, type RawClient } from '../../gateway/exchange/raw-client.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { rawService, startRawOrigin, type RawOrigin } from './origins.ts';

export interface RawGateway extends TestGateway {
  readonly origin: RawOrigin;
  /** To the listener `http`. */
  connect(): Promise<RawClient>;
}

/** `routes`: to the service `raw`, and by default all requests. */
export async function startRawGateway(
  routes: readonly object[] = [{ name: 'raw', to: 'raw' }],
): Promise<RawGateway> {
  const origin = await startRawOrigin();
  const gateway = await startGateway({ services: { raw: rawService(origin) }, routes });
  return {
    ...gateway,
    origin,
    connect: () => connectRaw(gateway.httpPort),
    async stop() {
      await gateway.stop();
      await origin.close();
    },
  };
}
