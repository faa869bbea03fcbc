/** xxHash64 of a text, in 32-bit halves: V8's BigInt would allocate at every step of it. */

// The primes of the algorithm; signed, so that every half stays a small integer for V8.
const P1H = 0x9e3779b1 | 0;
const P1L = 0x85ebca87 | 0;
const P2H = 0xc2b2ae3d | 0;
const P2L = 0x27d4eb4f | 0;
const P3H = 0x165667b1 | 0;
const P3L = 0x9e3779f9 | 0;
const P4H = 0x85ebca77 | 0;
const P4L = 0xc2b2ae63 | 0;
const P5H = 0x27d4eb2f | 0;
const P5L = 0x165667c5 | 0;

// The result of the last step. JavaScript cannot return two numbers without an object.
let high = 0;
let low = 0;

/** The four lanes that a text of 32 bytes and more is read in. */
const laneHigh = new Int32Array(4);
const laneLow = new Int32Array(4);

const encoder = new TextEncoder();
let bytes = new Uint8Array(1024);

function set(h: number, l: number): void {
  high = h | 0;
  low = l | 0;
}

function add(h: number, l: number): void {
  const sum = (low >>> 0) + (l >>> 0);
  high = (high + h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
  low = sum | 0;
}

function xor(h: number, l: number): void {
  high ^= h;
  low ^= l;
}

/** The low 64 bits of the product. */
function multiply(h: number, l: number): void {
  const a0 = low & 0xffff;
  const a1 = low >>> 16;
  const b0 = l & 0xffff;
  const b1 = l >>> 16;
  const p00 = a0 * b0;
  const middle = a1 * b0 + (p00 >>> 16);
  const middle2 = a0 * b1 + (middle & 0xffff);
  const carried = (a1 * b1 + (middle >>> 16) + (middle2 >>> 16)) | 0;
  high = (carried + Math.imul(high, l) + Math.imul(low, h)) | 0;
  low = (middle2 << 16) | (p00 & 0xffff);
}

/** By 1 to 31 bits. */
function rotateLeft(bits: number): void {
  const h = (high << bits) | (low >>> (32 - bits));
  low = (low << bits) | (high >>> (32 - bits));
  high = h;
}

/** By 1 to 31 bits. */
function xorShiftedRight(bits: number): void {
  xor(high >>> bits, (low >>> bits) | (high << (32 - bits)));
}

function word(at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** One step of a lane that stands in `high` and `low`. */
function round(inputHigh: number, inputLow: number): void {
  const h = high;
  const l = low;
  set(inputHigh, inputLow);
  multiply(P2H, P2L);
  add(h, l);
  rotateLeft(31);
  multiply(P1H, P1L);
}

function mergeLane(lane: number): void {
  const h = high;
  const l = low;
  set(0, 0);
  round(laneHigh[lane]!, laneLow[lane]!);
  xor(h, l);
  multiply(P1H, P1L);
  add(P4H, P4L);
}

function startLanes(seed: number): void {
  set(P1H, P1L);
  add(P2H, P2L);
  add(0, seed);
  laneHigh[0] = high;
  laneLow[0] = low;
  set(P2H, P2L);
  add(0, seed);
  laneHigh[1] = high;
  laneLow[1] = low;
  set(0, seed);
  laneHigh[2] = high;
  laneLow[2] = low;
  // −P1, as ¬P1 + 1.
  add(~P1H, ~P1L);
  add(0, 1);
  laneHigh[3] = high;
  laneLow[3] = low;
}

function readLanes(at: number): void {
  for (let lane = 0; lane < 4; lane++) {
    set(laneHigh[lane]!, laneLow[lane]!);
    round(word(at + lane * 8 + 4), word(at + lane * 8));
    laneHigh[lane] = high;
    laneLow[lane] = low;
  }
}

function joinLanes(): void {
  let h = 0;
  let l = 0;
  for (const [lane, bits] of LANE_ROTATIONS) {
    set(laneHigh[lane]!, laneLow[lane]!);
    rotateLeft(bits);
    add(h, l);
    h = high;
    l = low;
  }
  for (let lane = 0; lane < 4; lane++) mergeLane(lane);
}

const LANE_ROTATIONS = [
  [0, 1],
  [1, 7],
  [2, 12],
  [3, 18],
] as const;

/** What is left after the lanes: eight bytes, four, and one at a time. */
function readTail(from: number, length: number): void {
  let at = from;
  for (; at + 8 <= length; at += 8) {
    const h = high;
    const l = low;
    set(0, 0);
    round(word(at + 4), word(at));
    xor(h, l);
    rotateLeft(27);
    multiply(P1H, P1L);
    add(P4H, P4L);
  }
  if (at + 4 <= length) {
    const h = high;
    const l = low;
    set(0, word(at));
    multiply(P1H, P1L);
    xor(h, l);
    rotateLeft(23);
    multiply(P2H, P2L);
    add(P3H, P3L);
    at += 4;
  }
  for (; at < length; at++) {
    const h = high;
    const l = low;
    set(0, bytes[at]!);
    multiply(P5H, P5L);
    xor(h, l);
    rotateLeft(11);
    multiply(P1H, P1L);
  }
}

function avalanche(): void {
  // The lower half of a shift by 33; the upper one is 0.
  xor(0, high >>> 1);
  multiply(P2H, P2L);
  xorShiftedRight(29);
  multiply(P3H, P3L);
  xor(0, high);
}

/** Puts the UTF-8 of a text into `bytes`; returns its length. */
function encode(text: string): number {
  if (text.length * 3 > bytes.length) bytes = new Uint8Array(text.length * 3);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return encoder.encodeInto(text, bytes).written;
    bytes[i] = code;
  }
  return text.length;
}

function digest(text: string, seed: number): void {
  const length = encode(text);
  let at = 0;
  if (length >= 32) {
    startLanes(seed);
    for (; at + 32 <= length; at += 32) readLanes(at);
    joinLanes();
  } else {
    set(P5H, P5L);
    add(0, seed);
  }
  add(0, length);
  readTail(at, length);
  avalanche();
}

/**
 * The upper 53 bits of the xxHash64 of a text's UTF-8: as many as a number holds exactly.
 * `seed` is a 32-bit integer. Source: Y. Collet, xxHash specification, XXH64.
 */
export function xxHash64(text: string, seed = 0): number {
  digest(text, seed);
  return (high >>> 0) * 0x20_0000 + (low >>> 11);
}

/** All 64 bits, as 16 hexadecimal digits. */
export function xxHash64Hex(text: string, seed = 0): string {
  digest(text, seed);
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
