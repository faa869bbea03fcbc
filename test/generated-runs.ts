/** How many cases the tests that generate try, and which: always the same few, unless the environment asks for more or others. */
export const GENERATED_SEED = Number(process.env['MESHGATE_FUZZ_SEED'] ?? 20_261_121);

/** `usual`: as many as the suite has time for. */
export function generatedRuns(usual: number): number {
  return Number(process.env['MESHGATE_FUZZ_RUNS'] ?? usual);
}
