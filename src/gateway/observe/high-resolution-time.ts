/** Milliseconds → the pair of seconds and nanoseconds that OpenTelemetry takes. */
export function toHighResolutionTime(ms: number): [seconds: number, nanoseconds: number] {
  const seconds = Math.floor(ms / 1000);
  const nanoseconds = Math.round((ms - seconds * 1000) * 1e6);
  // What is rounded up to a whole second is one; a collector refuses the whole batch otherwise.
  return nanoseconds < 1e9 ? [seconds, nanoseconds] : [seconds + 1, 0];
}
