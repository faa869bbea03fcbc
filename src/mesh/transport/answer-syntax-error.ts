/** The bytes are not an HTTP/1.1 answer, or one whose end cannot be known for certain. */
export class AnswerSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AnswerSyntaxError';
  }
}
