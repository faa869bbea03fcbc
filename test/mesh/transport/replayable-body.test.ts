import { describe, expect, it } from 'vitest';
import type { BodySink, BodySource } from '../../../src/mesh/transport/body-source.ts';
import { ReplayableBody } from '../../../src/mesh/transport/replayable-body.ts';
import { ManualBody } from '../../contracts/test-body-source.ts';

const LIMIT = 64 * 1024;

/** A try that reads a body. */
class Reading implements BodySink {
  text = '';
  trailers: readonly string[] | undefined;
  isEnded = false;
  error: Error | undefined;
  onChunk: (() => void) | undefined;

  constructor(source?: BodySource) {
    source?.start(this);
  }

  onData(chunk: Uint8Array): void {
    this.text += Buffer.from(chunk).toString('latin1');
    this.onChunk?.();
  }

  onEnd(trailers: readonly string[] | undefined): void {
    this.isEnded = true;
    this.trailers = trailers;
  }

  onError(error: Error): void {
    this.error = error;
  }
}

describe('a replayable body', () => {
  it('tells each try its length', () => {
    expect(new ReplayableBody(new ManualBody(7)).open().length).toBe(7);
    expect(new ReplayableBody(new ManualBody()).open().length).toBeUndefined();
  });

  it('reads nothing before a try starts it', () => {
    const source = new ManualBody();
    new ReplayableBody(source).open();
    expect(source.isStarted).toBe(false);
  });

  it('replays what earlier tries have read, then goes on', () => {
    const source = new ManualBody();
    const body = new ReplayableBody(source);
    const first = body.open();
    const reading = new Reading(first);
    source.push('a');
    first.cancel();
    const second = new Reading(body.open());
    source.push('b');
    source.end(['x-sum', '1']);
    expect(reading.text).toBe('a');
    expect([second.text, second.isEnded, second.trailers]).toEqual(['ab', true, ['x-sum', '1']]);
  });

  it('replays a body that has ended, trailers included', () => {
    const source = new ManualBody();
    const body = new ReplayableBody(source);
    const first = body.open();
    void new Reading(first);
    source.push('all');
    source.end(['x-sum', '1']);
    first.cancel();
    const second = new Reading(body.open());
    expect([second.text, second.isEnded, second.trailers]).toEqual(['all', true, ['x-sum', '1']]);
  });

  it('is whole once all of it was read and is kept', () => {
    const source = new ManualBody();
    const body = new ReplayableBody(source);
    expect(body.isWhole).toBe(false);
    void new Reading(body.open());
    source.push('body');
    expect(body.isWhole).toBe(false);
    source.end();
    expect(body.isWhole).toBe(true);
    body.commit();
    expect(body.isWhole).toBe(false);
  });

  it('is not whole where it broke off, or is too large to keep', () => {
    for (const finish of [
      (source: ManualBody) => source.fail(new Error('gone')),
      (source: ManualBody) => {
        source.push('x'.repeat(LIMIT));
        source.end();
      },
    ]) {
      const source = new ManualBody();
      const body = new ReplayableBody(source);
      void new Reading(body.open());
      source.push('x');
      finish(source);
      expect(body.isWhole).toBe(false);
    }
  });

  it('that is whole is read by several tries at once, whatever becomes of one', () => {
    const source = new ManualBody(4);
    const body = new ReplayableBody(source);
    void new Reading(body.open());
    source.push('bo');
    source.push('dy');
    source.end(['X-Sum', '1']);
    const [one, two] = [body.open(), body.open()];
    const cancelled = new Reading();
    cancelled.onChunk = () => one.cancel();
    one.start(cancelled);
    const whole = new Reading(two);
    expect(cancelled).toMatchObject({ text: 'bo', isEnded: false });
    expect(whole).toMatchObject({ text: 'body', isEnded: true, trailers: ['X-Sum', '1'] });
    expect([one.length, two.length]).toEqual([4, 4]);
  });

  it('tells a later try of a body that broke off', () => {
    const source = new ManualBody();
    const body = new ReplayableBody(source);
    const first = body.open();
    void new Reading(first);
    first.cancel();
    const error = new Error('gone');
    source.fail(error);
    expect(body.replayable).toBe(false);
    expect(new Reading(body.open()).error).toBe(error);
  });

  it('holds the client back between two tries', () => {
    const source = new ManualBody();
    const body = new ReplayableBody(source);
    const first = body.open();
    void new Reading(first);
    first.cancel();
    expect(source.isPaused).toBe(true);
    void new Reading(body.open());
    expect(source.isPaused).toBe(false);
  });

  it('is replayable up to 64 KiB and no further', () => {
    const source = new ManualBody();
    const body = new ReplayableBody(source);
    void new Reading(body.open());
    source.push('m'.repeat(LIMIT));
    expect(body.replayable).toBe(true);
    source.push('m');
    expect(body.replayable).toBe(false);
  });

  it('loses nothing of what comes between two tries, though it goes past 64 KiB', () => {
    const source = new ManualBody();
    const body = new ReplayableBody(source);
    const first = body.open();
    void new Reading(first);
    source.push('m'.repeat(LIMIT));
    first.cancel();
    // The source was told to pause, and a chunk was on its way.
    source.push('late');
    const waiting = body.open();
    source.push('later');
    const second = new Reading(waiting);
    source.push('last');
    expect(second.text).toBe(`${'m'.repeat(LIMIT)}latelaterlast`);
  });

  it('does not set the client going while the try that replays is full', () => {
    const source = new ManualBody();
    const body = new ReplayableBody(source);
    const first = body.open();
    void new Reading(first);
    source.push('some');
    first.cancel();
    const second = body.open();
    const reading = new Reading();
    reading.onChunk = () => second.pause();
    second.start(reading);
    expect(source.isPaused).toBe(true);
    second.resume();
    expect(source.isPaused).toBe(false);
  });

  it('does not set the client going for a try that the replay has ended', () => {
    const source = new ManualBody();
    const body = new ReplayableBody(source);
    const first = body.open();
    void new Reading(first);
    source.push('some');
    first.cancel();
    const second = body.open();
    const reading = new Reading();
    reading.onChunk = () => second.cancel();
    second.start(reading);
    expect(source.isPaused).toBe(true);
  });

  it('lets no earlier try hold back the one at work', () => {
    const source = new ManualBody();
    const body = new ReplayableBody(source);
    const first = body.open();
    void new Reading(first);
    void new Reading(body.open());
    first.pause();
    expect(source.isPaused).toBe(false);
  });

  it('is cancelled at its source only once no try will follow', () => {
    const source = new ManualBody();
    const body = new ReplayableBody(source);
    const first = body.open();
    void new Reading(first);
    first.cancel();
    expect(source.isCancelled).toBe(false);
    body.cancel();
    expect(source.isCancelled).toBe(true);
  });

  it('is not cancelled at its source where that has ended', () => {
    for (const end of [
      (body: ManualBody) => body.end(),
      (body: ManualBody) => body.fail(new Error()),
    ]) {
      const source = new ManualBody();
      const body = new ReplayableBody(source);
      void new Reading(body.open());
      end(source);
      body.cancel();
      expect(source.isCancelled).toBe(false);
    }
  });
});
