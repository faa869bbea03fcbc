/** The validator of whole documents, one for each catalogue of plugins. */
import type { PluginCatalogue } from './plugin-catalogue.ts';
import { createSchemaValidator, type SchemaValidator } from './schema-validator.ts';
import { Document } from './schema/document.ts';
import { definePluginList } from './schema/plugin-list.ts';

const made = new WeakMap<PluginCatalogue, SchemaValidator>();

/** For files whose plugins are of a catalogue. To compile one takes longer than to load a small file. */
export function documentValidatorOf(catalogue: PluginCatalogue): SchemaValidator {
  let validator = made.get(catalogue);
  if (validator === undefined) {
    validator = createSchemaValidator(Document, definePluginList(catalogue));
    made.set(catalogue, validator);
  }
  return validator;
}
