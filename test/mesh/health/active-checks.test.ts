import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Endpoint } from '../../../src/mesh/endpoint.ts';
import { ActiveChecks } from '../../../src/mesh/health/active-checks.ts';
import type { CheckResult } from '../../../src/mesh/health/check-verdict.ts';
import type { ProbeReport } from '../../../src/mesh/health/probe.ts';
import { endpoint } from '../balancing/endpoints.ts';

interface Look {
  readonly id: string;
  readonly atMs: number;
  readonly report: (report: ProbeReport) => void;
  cancelled: boolean;
}

let looks: Look[];
let changes: string[];
let passed: string[];
let own: (endpoint: Endpoint) => boolean;
let chance: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  looks = [];
  changes = [];
  passed = [];
  own = () => true;
  chance = 0.5;
});
afterEach(() => void vi.useRealTimers());

function checks(): ActiveChecks {
  return new ActiveChecks(
    ({ id }, _timeoutMs, report) => {
      const look: Look = { id, atMs: performance.now(), report, cancelled: false };
      looks.push(look);
      return { cancel: () => void (look.cancelled = true) };
    },
    { intervalMs: 5000, timeoutMs: 1000, healthyThreshold: 2, unhealthyThreshold: 3 },
    {
      monotonic: () => performance.now(),
      random: () => chance,
      isOwn: (one) => own(one),
      onChanged: ({ id, healthy }, { detail }) => void changes.push(`${id} ${healthy} ${detail}`),
      onPassed: ({ id }) => void passed.push(id),
    },
  );
}

function end(result: CheckResult, detail = result): void {
  looks.at(-1)!.report({ result, detail });
}

describe('active checks', () => {
  it('look at once, then at every interval from one look’s start to the next’s', () => {
    const begun = performance.now();
    checks().update([endpoint('a')]);
    vi.advanceTimersByTime(5);
    expect(looks).toHaveLength(1);
    vi.advanceTimersByTime(700);
    end('pass');
    vi.advanceTimersByTime(4290);
    expect(looks).toHaveLength(1);
    vi.advanceTimersByTime(10);
    expect(looks).toHaveLength(2);
    expect(looks[1]!.atMs - begun).toBeLessThanOrEqual(5005);
  });

  it.each([
    [0, 4500],
    [1, 5500],
  ])('vary the interval by a tenth: chance %d makes %d ms', (drawn, intervalMs) => {
    checks().update([endpoint('a')]);
    vi.advanceTimersByTime(5);
    chance = drawn;
    end('pass');
    vi.advanceTimersByTime(intervalMs - 10);
    expect(looks).toHaveLength(1);
    vi.advanceTimersByTime(10);
    expect(looks).toHaveLength(2);
  });

  it('never look twice at an endpoint at one time', () => {
    checks().update([endpoint('a')]);
    vi.advanceTimersByTime(60_000);
    expect(looks).toHaveLength(1);
  });

  it('spread the first looks at many over the interval', () => {
    chance = 1;
    checks().update(Array.from({ length: 10_000 }, (_, i) => endpoint(String(i))));
    vi.advanceTimersByTime(4999);
    expect(looks).toHaveLength(0);
    vi.advanceTimersByTime(1);
    expect(looks).toHaveLength(10_000);
  });

  it('set healthy, and tell of changes and of every pass', () => {
    const a = endpoint('a');
    checks().update([a]);
    for (const result of ['pass', 'fail', 'fail', 'fail', 'pass', 'pass'] as const) {
      vi.advanceTimersByTime(5000);
      end(result);
    }
    expect(changes).toEqual(['a false fail', 'a true pass']);
    expect(passed).toEqual(['a', 'a', 'a']);
    expect(a.healthy).toBe(true);
    expect(a.wellSinceMs).toBe(performance.now());
  });

  it('leave to others what is theirs, until it is one’s own', () => {
    own = () => false;
    checks().update([endpoint('a')]);
    vi.advanceTimersByTime(20_000);
    expect(looks).toHaveLength(0);
    own = () => true;
    vi.advanceTimersByTime(5000);
    expect(looks).toHaveLength(1);
  });

  it('forget endpoints that leave, and keep what is known of the others', () => {
    const [a, b] = [endpoint('a'), endpoint('b')];
    const active = checks();
    active.update([a, b]);
    vi.advanceTimersByTime(10);
    expect(looks.map(({ id }) => id)).toEqual(['a', 'b']);
    active.update([b]);
    expect(looks.map(({ cancelled }) => cancelled)).toEqual([true, false]);
    vi.advanceTimersByTime(5000);
    expect(looks).toHaveLength(2);
  });

  it('take over the verdict of another, which one look of their own does not overturn', () => {
    const a = endpoint('a');
    own = () => false;
    const active = checks();
    active.update([a]);
    active.adopt(a, false, 'status 503, says b');
    active.adopt(a, false, 'status 503, says b');
    expect(changes).toEqual(['a false status 503, says b']);
    own = () => true;
    for (const healthy of [false, true]) {
      vi.advanceTimersByTime(5500);
      end('pass');
      expect(a.healthy).toBe(healthy);
    }
    active.adopt(a, true, '');
    vi.advanceTimersByTime(5500);
    end('fail');
    expect(a.healthy).toBe(true);
  });

  it('look at a suspect at once, and five times as often', () => {
    const a = endpoint('a');
    const active = checks();
    active.update([a]);
    vi.advanceTimersByTime(10);
    end('pass');
    vi.advanceTimersByTime(2000);
    active.suspect(a, true);
    expect(looks).toHaveLength(2);
    end('pass');
    vi.advanceTimersByTime(1000);
    expect(looks).toHaveLength(3);
    active.suspect(a, false);
    end('pass');
    vi.advanceTimersByTime(4990);
    expect(looks).toHaveLength(3);
  });

  it('leave a suspect to who checks it', () => {
    const a = endpoint('a');
    own = () => false;
    const active = checks();
    active.update([a]);
    active.suspect(a, true);
    expect(looks).toHaveLength(0);
  });

  it('tell which endpoints they looked at within three intervals', () => {
    const [a, b] = [endpoint('a'), endpoint('b')];
    const active = checks();
    active.update([a, b]);
    expect([...active.checked()]).toEqual([]);
    vi.advanceTimersByTime(10);
    looks[0]!.report({ result: 'fail', detail: 'status 503' });
    expect([...active.checked()]).toEqual([a]);
    expect(active.detailOf(a)).toBe('status 503');
    own = () => false;
    vi.advanceTimersByTime(15_001);
    expect([...active.checked()]).toEqual([]);
  });

  it('end with stop', () => {
    const active = checks();
    active.update([endpoint('a')]);
    vi.advanceTimersByTime(10);
    active.stop();
    expect(looks[0]!.cancelled).toBe(true);
    active.update([endpoint('b')]);
    vi.advanceTimersByTime(60_000);
    expect(looks).toHaveLength(1);
  });
});
