/** What two processes of a node say to each other: messages in order, by topic. */

/** One topic's side of a channel. Messages are what the structured clone algorithm takes. */
export interface Link<Out, In> {
  send(message: Out): void;
  /** One listener a link; messages that came before it are kept for it. */
  receive(listener: (message: In) => void): void;
}
