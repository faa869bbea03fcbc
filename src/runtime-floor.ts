/** The oldest Node.js that Meshgate runs on. */

/** Earlier ones have an exploitable bug in how they count header fields (CVE-2026-58044). */
const FLOOR = { major: 24, minor: 21 };

/**
 * Ends the process with 2, the reason and the remedy on an older one. `version` as in
 * `process.versions.node`; `entry` is the URL of the program's first file.
 */
export function assertRuntimeFloor(version: string, entry: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > FLOOR.major || (major === FLOOR.major && minor >= FLOOR.minor)) return;
  process.stderr.write(
    `meshgate: Node.js ${FLOOR.major}.${FLOOR.minor} or later is needed and this is ${version}, which counts header fields unsafely (CVE-2026-58044)\n` +
      `meshgate: ${remedyFor(entry)}\n`,
  );
  process.exit(2);
}

/** npm makes whatever it runs find the package `node` of the folder first, and so does npx. */
function remedyFor(entry: string): string {
  return entry.endsWith('.ts')
    ? 'the checkout brings its own: npm ci, then npx node src/main.ts'
    : `install it, or have one of its own beside the package: npm install node@${FLOOR.major}, then npx meshgate`;
}
