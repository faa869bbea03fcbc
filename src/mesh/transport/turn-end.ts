/** Writes of one turn of the event loop, done together at its end. */
import { beginEvent, endEvent } from './event-time.ts';

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

/** Of things to do, in order; it keeps its room, for it is filled and emptied with each turn. */
class Row<One> {
  readonly #ones: (One | undefined)[] = [];
  #first = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#first;
  }

  add(one: One): void {
    this.#ones[this.#end++] = one;
  }

  /** Undefined: there are none. */
  take(): One | undefined {
    if (this.#first === this.#end) {
      this.#first = this.#end = 0;
      return undefined;
    }
    const one = this.#ones[this.#first];
    this.#ones[this.#first++] = undefined;
    return one;
  }
}

const ending = new Row<TurnEnding>();
const settling = new Row<TurnSettling>();
let isImmediateSet = false;

/** Calls `one.endTurn()` when what the system has ready has been read, or soon before. */
export function atTurnEnd(one: TurnEnding): void {
  ending.add(one);
  if (ending.length === MAX_WAITING) process.nextTick(endAll);
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
  settling.add(one);
}

/** With what is added meanwhile. */
function endAll(): void {
  do {
    for (let one = ending.take(); one !== undefined; one = ending.take()) one.endTurn();
    // All that was written has left by now.
    beginEvent();
    for (let one = settling.take(); one !== undefined; one = settling.take()) one.settleTurn();
    endEvent();
  } while (ending.length > 0);
}
