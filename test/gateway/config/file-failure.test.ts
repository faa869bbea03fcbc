/** What is said of a data directory that cannot be written. */
import { expect, it } from 'vitest';
import { toDataDirFailure } from '../../../src/gateway/config/file-failure.ts';

it.each([
  ['EACCES', /the user that meshgate runs as may not write it \(EACCES\)/],
  ['EROFS', /its file system is read-only \(EROFS\)/],
  ['ENOSPC', /the disk is full \(ENOSPC\)/],
])('words %s', (code, words) => {
  expect(toDataDirFailure(Object.assign(new Error('x'), { code }), '/data')).toMatch(words);
});

it('leaves what is none of the system’s errors as it is', () => {
  expect(toDataDirFailure(new Error('no token'), '/data')).toBe('no token');
});
