import { expect, it } from 'vitest';
import { grpcStatusOf, toHttpStatus } from '../../../src/mesh/health/grpc-status.ts';

it('finds grpc-status whatever its case', () => {
  expect(grpcStatusOf(['content-type', 'application/grpc', 'Grpc-Status', '14'])).toBe('14');
  expect(grpcStatusOf(['content-type', 'application/grpc'])).toBeUndefined();
});

it.each([
  ['0', 200],
  ['5', 200],
  ['16', 200],
  ['2', 500],
  ['4', 504],
  ['8', 429],
  ['13', 500],
  ['14', 503],
  ['15', 500],
])('takes grpc-status %s for %i', (code, status) => {
  expect(toHttpStatus(code)).toBe(status);
});
