/** Writes of one turn of the event loop, done together at its end. */

/** Something to write at the end of the turn. */
export interface TurnEnding {
  /** Called once for each `atTurnEnd`. Must not throw. */
  endTurn(): void;
}

/**
 * So many are written at the latest before the next event is taken. A write wakes up whoever waits
 * at the other end, which costs more than the write; those that follow at once find it awake.
 * More than this many would only make the first of them wait.
 */
const MAX_WAITING = 64;

/** Something to do when all of the turn has been written. */
export interface TurnSettling {
  /** Called once for each `onceWritten`. Must not throw. */
  settleTurn(): void;
}

const waiting: TurnEnding[] = [];
const settling: TurnSettling[] = [];
/** Of those that wait, the first that has not been called. */
let next = 0;
let isImmediateSet = false;

/** Calls `ending.endTurn()` when what the system has ready has been read, or soon before. */
export function atTurnEnd(ending: TurnEnding): void {
  waiting.push(ending);
  if (waiting.length === MAX_WAITING) process.nextTick(endAll);
  if (isImmediateSet) return;
  isImmediateSet = true;
  setImmediate(onImmediate);
}

function onImmediate(): void {
  isImmediateSet = false;
  endAll();
}

/**
 * From within `endTurn`: calls `one.settleTurn()` when the others have written too. What has nothing
 * to do with writing is done for one after the other then, since each write leaves the processor with
 * the system's instructions at hand instead of ours.
 */
export function onceWritten(one: TurnSettling): void {
  settling.push(one);
}

/** With what is added meanwhile. */
function endAll(): void {
  do {
    while (next < waiting.length) waiting[next++]!.endTurn();
    waiting.length = 0;
    next = 0;
    for (let i = 0; i < settling.length; i++) settling[i]!.settleTurn();
    settling.length = 0;
  } while (waiting.length > 0);
}
