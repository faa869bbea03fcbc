/** Who asks the admin API, and what a role may do. */
import type { Scope } from './scope.ts';

/** The lowest first; each may do what those before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;

export type Role = (typeof ROLES)[number];

export interface Principal {
  /** Of the token; stands as the author of what is done with it. */
  readonly name: string;
  readonly role: Role;
  /** Undefined: everything. */
  readonly scope: Scope | undefined;
  readonly tokenId: string;
}

/** The holder of the token in the data directory: of this node alone, and never to be revoked by others. */
export const LOCAL_ADMIN: Principal = {
  name: 'admin-token',
  role: 'admin',
  scope: undefined,
  tokenId: 'local',
};

export function hasRole({ role }: Principal, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
