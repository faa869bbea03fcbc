/** Begins with the files that mostly wait, so that the suite does not end with one of them alone. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Folders of tests that wait for leases, timeouts and processes, the longest first. */
const SLOW = [
  'integration/mesh-faults/',
  'integration/process/',
  'mesh/limits/',
  'integration/mesh/',
  'demo/',
  'packaging/',
  'integration/admin/operations/',
  'integration/versions/',
  'integration/client/',
  'mesh/backplane/',
];

export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rankOf(a.moduleId) - rankOf(b.moduleId));
  }
}

function rankOf(file: string): number {
  const rank = SLOW.findIndex((folder) => file.includes(`/test/${folder}`));
  return rank < 0 ? SLOW.length : rank;
}
