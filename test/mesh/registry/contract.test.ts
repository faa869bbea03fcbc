/** The registry's contract on every kind of backplane. */
import { openEmbeddedPair, openRedisPair } from '../../redis/open-backplane.ts';
import { describeRegistry } from '../../contracts/registry.ts';

describeRegistry('embedded', openEmbeddedPair);
describeRegistry('Redis', () => openRedisPair('single'));
describeRegistry('Redis Cluster', () => openRedisPair('cluster'));
