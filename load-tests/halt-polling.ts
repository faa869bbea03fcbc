/** Keeps the processors of a virtual machine awake for a while that have nothing to do (`haltpoll`, of Linux guests). */
import { readFile, writeFile } from 'node:fs/promises';

const POLL_NS = '/sys/module/haltpoll/parameters/guest_halt_poll_ns';
/** Longer than proxy, load generator and upstream wait for each other. */
const LONG_ENOUGH_NS = 1_000_000;

/** For so many nanoseconds they wait before they halt; undefined: the system has nothing to say on it. */
export async function readHaltPollNs(file: string = POLL_NS): Promise<number | undefined> {
  try {
    return Number(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Returns what puts it back. Rejects where it cannot be done. */
export async function keepAwake(file: string = POLL_NS): Promise<() => Promise<void>> {
  const before = await readHaltPollNs(file);
  try {
    if (before === undefined) throw new Error(`there is no ${file}`);
    await writeFile(file, String(LONG_ENOUGH_NS));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `--awake: the processors cannot be kept from halting (${reason}); that takes root, and a Linux guest with haltpoll`,
      { cause },
    );
  }
  return () => writeFile(file, String(before));
}
