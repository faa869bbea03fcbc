/** Where the thread of `load-in-thread.ts` begins: it lets traffic go first before it has loaded anything. */
import { giveWay } from './give-way.ts';

giveWay();
// Imported only now: to load all of it takes more time of the processor than any small file.
await import('./load-worker.ts');
