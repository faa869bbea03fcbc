/** The oldest Node.js that Meshgate runs on. */

/** Earlier ones have an exploitable bug in how they count header fields (CVE-2026-58044). */
const FLOOR = { major: 24, minor: 21 };

/** Ends the process with 2 and the reason on an older one. `version` as in `process.versions.node`. */
export function assertRuntimeFloor(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > FLOOR.major || (major === FLOOR.major && minor >= FLOOR.minor)) return;
  process.stderr.write(
    `meshgate: Node.js ${FLOOR.major}.${FLOOR.minor} or later is needed and this is ${version}, which counts header fields unsafely (CVE-2026-58044)\n`,
  );
  process.exit(2);
}
