/** Channels of watched spaces: what both kinds of subscriber offer. */

export interface SubscriptionHandlers {
  readonly onMessage: (channel: string, text: string) => void;
  /** It is in force from now on; messages of the time before may be missing. */
  readonly onSubscribed: (channel: string) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Subscribes as long as it is wanted, over every loss of the connection. */
export interface Subscriptions {
  start(): void;
  add(channel: string): void;
  remove(channel: string): void;
  close(): void;
}
