/** A worker's process: started by the supervisor, which alone tells it what to do. */

// The terminal's signals, and whoever signals the group, mean the supervisor.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
  process.on(signal, () => undefined);
}
// What goes on standard output may have no reader any more.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const { runWorker } = await import('./worker.ts');
runWorker(process);
