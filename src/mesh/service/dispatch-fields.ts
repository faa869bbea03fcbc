/** Header fields as undici's callers give them, sorted into what is sent on and what speaks of the framing. */
import { errors, type Dispatcher } from 'undici';

export interface CallerFields {
  /** Flat field lines, without those of one connection. */
  readonly fields: string[];
  /** The Host field, which the transport writes itself. */
  readonly host: string | undefined;
  /** Content-Length in bytes: the length of a body that does not know its own. */
  readonly contentLength: number | undefined;
  readonly hasContentType: boolean;
}

type HeadersOption = Dispatcher.DispatchOptions['headers'];

/**
 * Takes a flat list, an object, or pairs; a value may be a list, and undefined leaves the field out.
 * Throws InvalidArgumentError where a field is not of that form. Whether names and values may be
 * sent at all is the transport's to say.
 */
export function parseCallerFields(headers: HeadersOption): CallerFields {
  const reading = new FieldReading();
  if (headers === undefined || headers === null) return reading;
  if (typeof headers !== 'object') throw invalid('headers must be an object or an array');
  if (Array.isArray(headers)) {
    if (headers.length % 2 !== 0) throw invalid('a flat list of headers must have an even length');
    for (let i = 0; i < headers.length; i += 2) reading.add(headers[i], headers[i + 1]);
  } else if (Symbol.iterator in headers) {
    for (const pair of headers as Iterable<unknown>) {
      if (!Array.isArray(pair) || pair.length !== 2) throw invalid('headers must be pairs');
      reading.add(pair[0], pair[1]);
    }
  } else {
    for (const [name, value] of Object.entries(headers)) reading.add(name, value);
  }
  return reading;
}

class FieldReading implements CallerFields {
  readonly fields: string[] = [];
  host: string | undefined;
  contentLength: number | undefined;
  hasContentType = false;

  add(name: unknown, value: unknown): void {
    if (value === undefined) return;
    if (typeof name !== 'string') throw invalid('a header name must be a string');
    if (!Array.isArray(value)) this.#addLine(name, value);
    else for (const line of value) this.#addLine(name, line);
  }

  #addLine(name: string, value: unknown): void {
    const text = toText(name, value);
    switch (name.toLowerCase()) {
      case 'host':
        if (this.host !== undefined) throw invalid('more than one host header');
        this.host = text;
        return;
      case 'content-length':
        if (this.contentLength !== undefined) throw invalid('more than one content-length header');
        this.contentLength = toLength(text);
        return;
      // They speak of the connection that the caller believes to have. Fields that Connection names
      // stay: the caller is no hop before us, and where it passes on a client's Connection field,
      // that client must not take out what the caller has put in (CVE-2026-33805).
      case 'connection':
      case 'keep-alive':
      case 'proxy-connection':
      case 'transfer-encoding':
      case 'upgrade':
      case 'http2-settings':
      case 'expect':
        return;
      case 'content-type':
        this.hasContentType = true;
        break;
      default:
    }
    this.fields.push(name, text);
  }
}

function toText(name: string, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      if (value === null) return '';
      throw invalid(`the value of the header ${name} is not a string`);
  }
}

function toLength(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw invalid('the content-length header is not a length');
  return Number(text);
}

function invalid(message: string): Error {
  return new errors.InvalidArgumentError(message);
}
