/** The services of a node for `meshgate status`: how many of each one's endpoints are well. */
import type { NodeStatus } from '../admin/resources/node-status.ts';
import { printTable, type Column } from './table.ts';
import type { VerbIo } from './verb.ts';

type Row = NodeStatus['services'][number];

/** Nobody reads more; those that are not well come first. */
const MAX_ROWS = 20;

const COLUMNS: readonly Column<Row>[] = [
  { title: 'SERVICE', of: ({ name }) => name },
  { title: 'HEALTHY', of: toCountText, tone: (row) => (isWell(row) ? 'good' : 'bad') },
  { title: 'NOTES', of: toNotes },
];

export function printServices(io: VerbIo, services: readonly Row[]): void {
  if (services.length === 0) return;
  const sorted = [...services.filter((one) => !isWell(one)), ...services.filter(isWell)];
  printTable(io, COLUMNS, sorted.slice(0, MAX_ROWS));
  const more = sorted.length - MAX_ROWS;
  if (more > 0) io.stdout.write(`and ${more} more; --json has them all\n`);
  io.stdout.write('\n');
}

/** A sentence for each service that requests are led to, and that has nobody to answer them. */
export function toServiceProblems({ node, services }: NodeStatus): string[] {
  return services
    .filter(({ routed, healthy }) => routed && healthy === 0)
    .map((service) => {
      const count =
        service.total === 0 ? 'no endpoint' : `no healthy endpoint (${toCountText(service)})`;
      return `${service.name} has ${count} on ${node}, and routes lead to it`;
    });
}

function isWell({ healthy, total }: Row): boolean {
  return healthy === total && total > 0;
}

function toCountText({ healthy, total }: Row): string {
  return `${healthy} of ${total}`;
}

function toNotes({ unhealthy, ejected, draining, checked, routed }: Row): string {
  const states = Object.entries({ unhealthy, ejected, draining }).filter(([, count]) => count > 0);
  const notes = states.map(([state, count]) => `${count} ${state}`);
  if (!checked) notes.push('no healthCheck: known by requests alone');
  if (!routed) notes.push('no route leads to it');
  return notes.join(', ');
}
