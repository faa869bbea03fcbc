/** The contract suite on every backplane there is. */
import { describeBackplane } from '../../contracts/backplane.ts';
import { openEmbeddedPair, openRedisPair } from '../../redis/open-backplane.ts';

describeBackplane('embedded', openEmbeddedPair);
describeBackplane('Redis', () => openRedisPair('single'));
describeBackplane('Redis by Sentinel', () => openRedisPair('sentinel'));
describeBackplane('Redis Cluster', () => openRedisPair('cluster'));
