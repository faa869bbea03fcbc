/** A client that is not there: takes an answer and tells nobody. */
import { PassThrough, type Duplex } from 'node:stream';
import type { Downstream, DownstreamObserver } from '../exchange/lane.ts';

export class SilentDownstream implements Downstream {
  observer: DownstreamObserver | undefined;

  informational(): void {}
  head(): void {}
  retract(): boolean {
    return false;
  }
  write(): boolean {
    return true;
  }
  end(): void {}
  answer(): void {}
  closeAfter(): void {}
  abort(): void {}
  upgrade(): Duplex {
    return new PassThrough();
  }
}
