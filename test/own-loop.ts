/**
 * A gateway in a test's process has its event loop together with the test, its clients and its services,
 * and the machine with other tests: that the loop is late says nothing of the gateway, so it sheds nothing
 * for that. Memory it watches as ever, and processes that tests start watch both.
 */
import { totalmem } from 'node:os';
import { vi } from 'vitest';

vi.mock('../src/app/overload.ts', async () => {
  const { createOverloadGuard } = await import('../src/gateway/admission/overload.ts');
  const limits = { maxLoopDelayMs: Infinity, maxRssBytes: totalmem() };
  return { createProcessGuard: () => createOverloadGuard(limits) };
});
