/** What an operator said of an endpoint; it stands until an operator takes it back. */
import type { Json, StoredRecord } from '../backplane/backplane.ts';
import { isObject } from '../backplane/json-object.ts';
import { isWeight } from './instance.ts';

export interface Override {
  /** In place of the instance's own; undefined leaves that in force. */
  readonly weight: number | undefined;
  /** Takes no new requests, whatever the instance says. */
  readonly drain: boolean;
}

/** Undefined leaves as it is; null takes back. */
export interface OverrideChange {
  readonly weight?: number | null | undefined;
  readonly drain?: boolean | undefined;
}

export const NO_OVERRIDE: Override = { weight: undefined, drain: false };

export function parseOverride({ value }: StoredRecord): Override {
  if (!isObject(value)) return NO_OVERRIDE;
  const { weight, drain } = value;
  return { weight: isWeight(weight) ? weight : undefined, drain: drain === true };
}

export function changeOverride(current: Override, { weight, drain }: OverrideChange): Override {
  return {
    weight: weight === undefined ? current.weight : (weight ?? undefined),
    drain: drain ?? current.drain,
  };
}

export function isNoOverride({ weight, drain }: Override): boolean {
  return weight === undefined && !drain;
}

export function toOverrideValue({ weight, drain }: Override): Json {
  return { ...(weight !== undefined && { weight }), ...(drain && { drain }) };
}
