/** What a worker tells its supervisor of the calls it made: counts since it last told. */
import type { EdgeCounts } from '../../../mesh/topology/recorder.ts';

/** From a worker; nothing goes the other way. */
export type EdgeNews = readonly EdgeCounts[];
