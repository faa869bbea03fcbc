/** Preloaded into a gateway: keeps its event loop late from a message of its parent on, until the next. */
const LATE_MS = 300;

let isLate = false;

process.on('message', () => {
  isLate = !isLate;
  if (isLate) holdUp();
});

function holdUp(): void {
  const end = performance.now() + LATE_MS;
  while (performance.now() < end);
  if (isLate) setTimeout(holdUp, 0);
}
