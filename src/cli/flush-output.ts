/** Waits until what was printed has gone out: `process.exit` does not. */

/** Of a `Writable`, what is needed here. */
interface Output {
  readonly writable: boolean;
  readonly writableLength: number;
  write(text: string, written: () => void): unknown;
  once(event: 'error' | 'close', listener: () => void): unknown;
}

/**
 * Resolves once nothing waits any more. A pipe takes 64 KiB and the rest waits for its reader,
 * however long that pages through it; where the reader has gone there is nobody to wait for.
 */
export async function flushOutput(...outputs: readonly Output[]): Promise<void> {
  await Promise.all(outputs.map(flush));
}

async function flush(output: Output): Promise<void> {
  if (!output.writable || output.writableLength === 0) return;
  await new Promise<void>((resolve) => {
    output.once('error', resolve);
    output.once('close', resolve);
    output.write('', () => resolve());
  });
}
