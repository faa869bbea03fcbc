/** What goes into a route table, and what comes out of it. */
import type { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import type { MatchEntry } from '../config/route-config.ts';
import type { LinearRegex } from './linear-regex.ts';

/** What the caller routes to, and the match entries that lead there. */
export interface RouteSpec<T> {
  readonly name: string;
  /** Higher goes first, before every other rule. */
  readonly priority: number;
  /** A list is OR; inside one entry everything is AND. */
  readonly matches: readonly MatchEntry[];
  readonly value: T;
}

/** The winner. Made when the table is. */
export interface RouteMatch<T> {
  readonly value: T;
  readonly route: string;
  /** Which of the route's match entries. */
  readonly index: number;
  /** Whether the entry asks for a method. */
  readonly namesMethod: boolean;
  /** The prefix that matched, without trailing slash but for `/` itself; undefined for other kinds. */
  readonly prefix: string | undefined;
  /** The expression that the path met; undefined for other kinds. */
  readonly regex: LinearRegex | undefined;
}

/** The part of a request that routing reads. */
export interface Routable {
  readonly method: string;
  /** Lower case, without port; empty where the request named none. */
  readonly host: string;
  /** In normal form. */
  readonly path: string;
  /** As received. */
  readonly query: string;
  readonly headers: HeaderFields;
}
