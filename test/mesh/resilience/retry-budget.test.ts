import { describe, expect, it } from 'vitest';
import { createRetryBudget } from '../../../src/mesh/resilience/retry-budget.ts';

function budgetAt(options: { ratio?: number; minPerSecond?: number; windowMs?: number } = {}) {
  const clock = { nowMs: 123_456 };
  const budget = createRetryBudget({ ...options, monotonic: () => clock.nowMs });
  return {
    clock,
    budget,
    deposit: (count: number) => {
      for (let i = 0; i < count; i += 1) budget.deposit();
    },
    /** Retries granted until the first refusal. */
    drain: () => {
      let granted = 0;
      while (budget.tryWithdraw()) granted += 1;
      return granted;
    },
  };
}

describe('createRetryBudget', () => {
  it('grants 10 a second for the window without any traffic: 100, and no more', () => {
    const { budget, drain } = budgetAt();
    expect(budget.available).toBe(100);
    expect(drain()).toBe(100);
    expect(budget.available).toBe(0);
  });

  it('grants one retry more for each five requests', () => {
    const { budget, deposit, drain } = budgetAt({ minPerSecond: 0 });
    deposit(4);
    expect(budget.tryWithdraw()).toBe(false);
    deposit(1);
    expect(budget.tryWithdraw()).toBe(true);
    expect(budget.tryWithdraw()).toBe(false);
    deposit(1_000);
    expect(drain()).toBe(200);
  });

  it('adds the two', () => {
    const { deposit, drain } = budgetAt();
    deposit(50);
    expect(drain()).toBe(110);
  });

  it('forgets deposits after the window', () => {
    const { clock, budget, deposit } = budgetAt({ minPerSecond: 0 });
    deposit(50);
    clock.nowMs += 8_999;
    expect(budget.available).toBe(10);
    clock.nowMs += 1_001;
    expect(budget.available).toBe(0);
  });

  it('forgets them bucket by bucket', () => {
    const { clock, budget, deposit } = budgetAt({ minPerSecond: 0 });
    deposit(50);
    clock.nowMs += 5_000;
    deposit(25);
    clock.nowMs += 5_000;
    expect(budget.available).toBe(5);
    clock.nowMs += 5_000;
    expect(budget.available).toBe(0);
  });

  it('is whole again a window after it was spent, however long it rested', () => {
    const { clock, budget, drain } = budgetAt();
    drain();
    clock.nowMs += 8_999;
    expect(budget.available).toBe(0);
    clock.nowMs += 1_001;
    expect(drain()).toBe(100);
    clock.nowMs += 3_600_000;
    expect(drain()).toBe(100);
  });

  it('holds a ratio over time: 100 requests a second and a retry for each try it can get', () => {
    const { clock, budget } = budgetAt({ minPerSecond: 0 });
    let granted = 0;
    for (let second = 0; second < 60; second += 1) {
      for (let i = 0; i < 100; i += 1) {
        budget.deposit();
        if (budget.tryWithdraw()) granted += 1;
      }
      clock.nowMs += 1_000;
    }
    expect(granted).toBe(1_200);
  });

  it('takes other ratios and windows', () => {
    const half = budgetAt({ ratio: 0.5, minPerSecond: 0 });
    half.deposit(10);
    expect(half.drain()).toBe(5);
    const none = budgetAt({ ratio: 0, minPerSecond: 1 });
    none.deposit(1_000);
    expect(none.drain()).toBe(10);
    expect(budgetAt({ minPerSecond: 10, windowMs: 5_000 }).drain()).toBe(50);
    const double = budgetAt({ ratio: 2, minPerSecond: 0 });
    double.deposit(3);
    expect(double.drain()).toBe(6);
  });
});
