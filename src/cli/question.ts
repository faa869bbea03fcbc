/** Asks whoever sits at the terminal. */
import { createInterface } from 'node:readline';
import { isatty, type ReadStream, type WriteStream } from 'node:tty';

/** Undefined where nobody does: the input or standard error is none. Standard output may go elsewhere. */
export function createQuestion(process: {
  readonly stdin: ReadStream;
  readonly stderr: WriteStream;
}): ((question: string) => Promise<string | undefined>) | undefined {
  const { stderr } = process;
  // By its number: to look at the stream itself would open it for verbs that never read it.
  if (!isatty(0) || !stderr.isTTY) return undefined;
  return (question) =>
    new Promise((resolve) => {
      const { stdin } = process;
      // The terminal stays as it is: it edits the line, and Ctrl-C ends the program.
      const lines = createInterface({ input: stdin, output: stderr, terminal: false });
      lines.question(question, (answer) => {
        resolve(answer);
        lines.close();
      });
      lines.on('close', () => resolve(undefined));
    });
}
