/** Frame boundaries in a stream of bytes. */
import { describe, expect, it } from 'vitest';
import { closeFrame, FrameTracker } from '../../../src/gateway/forward/tunnel-frames.ts';
import { textFrame } from './frames.ts';

describe('FrameTracker', () => {
  const frames = [
    textFrame(0),
    textFrame(125),
    textFrame(126),
    textFrame(65_536),
    Buffer.concat([Buffer.from([0x82, 0x83, 1, 2, 3, 4]), Buffer.from('abc')]),
    Buffer.from([0x89, 0]),
  ];
  const stream = Buffer.concat(frames);

  it('finds every boundary, however the stream is cut', () => {
    const ends: number[] = [];
    let end = 0;
    for (const each of frames) ends.push((end += each.length));
    for (const size of [1, 2, 3, 7, 1000, stream.length]) {
      const tracker = new FrameTracker();
      for (let at = 0; at < stream.length; at += size) {
        tracker.advance(stream.subarray(at, at + size), false);
        const passed = Math.min(at + size, stream.length);
        expect(tracker.atBoundary).toBe(ends.includes(passed));
      }
      expect(tracker.closing).toBe(false);
    }
  });

  it('stops at the first boundary when asked', () => {
    const tracker = new FrameTracker();
    tracker.advance(stream.subarray(0, 50), false);
    expect(tracker.advance(stream.subarray(50), true)).toBe(2 + 127 - 50);
    expect(tracker.advance(stream.subarray(129), true)).toBe(0);
  });

  it('notices a Close frame, masked or not', () => {
    for (const masked of [true, false]) {
      const tracker = new FrameTracker();
      tracker.advance(closeFrame(1001, masked), false);
      expect(tracker.closing).toBe(true);
      expect(tracker.atBoundary).toBe(true);
    }
  });
});
