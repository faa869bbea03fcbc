/** Names asked for by SNI, and the certificates that answer to them. */
import { describe, expect, it } from 'vitest';
import { CertificateChoice } from '../../../src/gateway/listener/certificate-choice.ts';

function createChoice(): CertificateChoice<string> {
  const choice = new CertificateChoice<string>();
  choice.add(['api.example.com'], 'exact');
  choice.add(['*.example.com'], 'wildcard');
  choice.add(['api.example.com', 'new.example.com'], 'later');
  return choice;
}

describe('CertificateChoice', () => {
  it.for([
    ['api.example.com', 'exact'],
    ['API.Example.COM', 'exact'],
    ['api.example.com.', 'exact'],
    ['new.example.com', 'later'],
    ['other.example.com', 'wildcard'],
    ['OTHER.EXAMPLE.COM', 'wildcard'],
    ['a.b.example.com', undefined],
    ['example.com', undefined],
    ['.example.com', undefined],
    ['*.example.com', 'wildcard'],
    ['example.org', undefined],
    ['', undefined],
    ['.', undefined],
    ['..', undefined],
    ['__proto__', undefined],
    ['constructor', undefined],
    ['127.0.0.1', undefined],
    ['a\0b.example.com', 'wildcard'],
    [undefined, undefined],
    [null, undefined],
    [42, undefined],
    [{}, undefined],
  ] as const)('answers to %j with %j', ([name, expected]) => {
    expect(createChoice().choose(name)).toBe(expected);
  });

  it('says whether a certificate has a name of its own', () => {
    const choice = createChoice();
    expect(choice.add(['api.example.com', '*.example.com'], 'idle')).toBe(false);
    expect(choice.add(['x.org'], 'used')).toBe(true);
  });
});
