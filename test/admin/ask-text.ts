/** An answer of the admin API as the bytes that it is. */
import type { TestAdmin } from './admin-fixture.ts';

export async function askText(
  { url, token }: Pick<TestAdmin, 'url' | 'token'>,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; headers: Record<string, string>; text: string }> {
  const answer = await fetch(`${url}${path}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
  return {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    text: await answer.text(),
  };
}
