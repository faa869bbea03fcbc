/** What the head of a request may be, whichever protocol it comes by. */
export interface HeadLimits {
  readonly maxHeaderFields: number;
  /** Names and values with `: ` and line end, without the request line. */
  readonly maxHeaderBytes: number;
  readonly maxTargetBytes: number;
}
