/** Where routes get their places from one snapshot to the next. */
import { describe, expect, it } from 'vitest';
import type { RouteConfig } from '../../../src/gateway/config/route-config.ts';
import type { RouteUnit } from '../../../src/gateway/config/route-unit.ts';
import { planAnew, planFrom, type PlannedPart } from '../../../src/gateway/config/unit-plan.ts';

function toRoutes(count: number): RouteConfig[] {
  return Array.from({ length: count }, (_, i) => ({ name: `r${i}`, matches: [{}] }) as never);
}

/** As far as a plan looks at them. */
function toUnits(
  parts: readonly PlannedPart[],
  before: readonly RouteUnit[] = [],
): readonly RouteUnit[] {
  return parts.flatMap((part) => {
    if (part.kind === 'kept') return before.slice(part.from, part.from + part.count);
    const { route, order } = part;
    return [{ route, order, orderEnd: order + route.matches.length } as RouteUnit];
  });
}

function isInOrder(units: readonly RouteUnit[]): boolean {
  return units.every(({ order }, i) => i === 0 || units[i - 1]!.orderEnd <= order);
}

const [another] = toRoutes(1) as [RouteConfig];

describe('the plan of a snapshot', () => {
  it('makes one of 100,000 routes anew where one is changed', () => {
    const routes = toRoutes(100_000);
    const before = toUnits(planAnew(routes));
    for (const at of [0, 50_000, 99_999]) {
      const next = routes.with(at, another);
      const plan = planFrom(before, routes, next, undefined)!;
      expect(plan.filter(({ kind }) => kind === 'new')).toHaveLength(1);
      const units = toUnits(plan, before);
      expect(units.map(({ route }) => route)).toEqual(next);
      expect(isInOrder(units)).toBe(true);
    }
  });

  it('moves one to the other end, and leaves all others', () => {
    const routes = toRoutes(1_000);
    const before = toUnits(planAnew(routes));
    for (const next of [
      [...routes.slice(1), routes[0]!],
      [routes.at(-1)!, ...routes.slice(0, -1)],
    ]) {
      const plan = planFrom(before, routes, next, undefined)!;
      expect(plan.filter(({ kind }) => kind === 'new')).toHaveLength(1);
      expect(toUnits(plan, before).map(({ route }) => route)).toEqual(next);
    }
  });

  it('makes those anew that refer to something else than before', () => {
    const routes = toRoutes(10);
    const before = toUnits(planAnew(routes));
    const plan = planFrom(before, routes, routes, ({ route }) => !/[357]/.test(route.name))!;
    expect(plan.map((part) => (part.kind === 'new' ? part.route.name : part.count))).toEqual([
      3,
      'r3',
      1,
      'r5',
      1,
      'r7',
      2,
    ]);
  });

  it.each([
    ['behind the last new one', (n: number) => 5 + n, 100],
    ['before the last new one', () => 5, 4],
    ['at the end', (n: number) => 10 + n, 1_000],
  ])('has room for many that come %s', (_, placeOf, count) => {
    let routes = toRoutes(10);
    let units = toUnits(planAnew(routes));
    for (let n = 0; n < count; n++) {
      const next = routes.toSpliced(placeOf(n), 0, { ...another, name: `n${n}` });
      units = toUnits(planFrom(units, routes, next, undefined)!, units);
      routes = next;
    }
    expect(isInOrder(units)).toBe(true);
    expect(units.map(({ route }) => route)).toEqual(routes);
  });

  it('says where there is no room left', () => {
    let routes = toRoutes(2);
    let units = toUnits(planAnew(routes));
    for (let n = 0; ; n++) {
      const next = routes.toSpliced(1, 0, { ...another, name: `n${n}` });
      const plan = planFrom(units, routes, next, undefined);
      if (plan === undefined) break;
      units = toUnits(plan, units);
      routes = next;
      expect(isInOrder(units)).toBe(true);
    }
    expect(routes.length).toBeGreaterThan(4);
  });
});
