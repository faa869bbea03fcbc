/** A finished request in a line for people, of what the access log has of it. */
import type { Paint, Tone } from './paint.ts';
import { toPrintable } from './table.ts';

/** Of the access log, what the line has; where a plugin put something else there, it is left out. */
type TapRecord = Readonly<Record<string, unknown>>;

const TIME = /T([0-9:.]+)Z$/;

/** `12:00:01.123 GET 200 12.3 ms api.example.com/orders/1 orders → orders 10.0.0.7:80, 2 tries, acme` */
export function toTapLine(data: string, paint: Paint): string {
  const record = parse(data);
  if (record === undefined) return toPrintable(data);
  const time = textOf(record, 'time');
  const status = numberOf(record, 'status');
  const durationMs = numberOf(record, 'duration_ms');
  const parts = [
    paint('faint', toPrintable(TIME.exec(time)?.[1] ?? time)),
    toPrintable(textOf(record, 'method')),
    paint(toneOf(status), String(status ?? '-')),
    durationMs === undefined ? '-' : `${durationMs.toFixed(durationMs < 100 ? 1 : 0)} ms`,
    toPrintable(`${textOf(record, 'host')}${textOf(record, 'path')}${textOf(record, 'query')}`),
    toWay(record),
    paint('faint', toPrintable(toNotes(record))),
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** Through which route, to what. */
function toWay(record: TapRecord): string {
  const route = textOf(record, 'route');
  const target = [textOf(record, 'service'), textOf(record, 'endpoint')].filter(
    (part) => part !== '',
  );
  const ends = [route, target.join(' ')].filter((part) => part !== '');
  return toPrintable(ends.join(' → '));
}

function toNotes(record: TapRecord): string {
  const attempts = numberOf(record, 'attempts') ?? 1;
  const failure = [textOf(record, 'code'), textOf(record, 'reason')].filter((part) => part !== '');
  const notes = [
    attempts > 1 ? `${attempts} tries` : '',
    textOf(record, 'consumer'),
    failure.join(': '),
  ].filter((note) => note !== '');
  return notes.length === 0 ? '' : `(${notes.join(', ')})`;
}

function toneOf(status: number | undefined): Tone | undefined {
  if (status === undefined || status < 200) return undefined;
  if (status >= 500) return 'bad';
  return status >= 400 ? 'warn' : 'good';
}

/** Of a `dropped` event. */
export function toDroppedText(data: string): string {
  const record = parse(data) ?? {};
  const [slow, rate] = [numberOf(record, 'slow') ?? 0, numberOf(record, 'rate') ?? 0];
  const parts = [
    ...(slow > 0 ? [`${slow} that were too fast for here`] : []),
    ...(rate > 0 ? [`${rate} beyond --rate`] : []),
  ];
  return `… not shown: ${parts.join(', ')}`;
}

/** Of an `end` event. */
export function toEndReason(data: string): string {
  return textOf(parse(data) ?? {}, 'reason');
}

function parse(data: string): TapRecord | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null ? (value as TapRecord) : undefined;
  } catch {
    return undefined;
  }
}

function textOf(record: TapRecord, key: string): string {
  const value = record[key];
  return typeof value === 'string' ? value : '';
}

function numberOf(record: TapRecord, key: string): number | undefined {
  const value = record[key];
  return typeof value === 'number' ? value : undefined;
}
