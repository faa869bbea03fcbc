/** The shared configuration's part of the admin API. */
import type { FastifyInstance } from 'fastify';
import { createConcealer } from '../../gateway/config/concealment.ts';
import type { Schedule } from '../../mesh/backplane/schedule.ts';
import { createDesk } from '../configuration-desk.ts';
import type { ConfigurationAccess, ConfigurationSources } from './configuration-access.ts';
import { addConfigurationVersions } from './configuration-versions.ts';
import { addExplanations } from './explanations.ts';
import { addSharedEntries } from './shared-entries.ts';
import { addSharedEntryListings } from './shared-entry-listings.ts';
import { addWholeConfiguration } from './whole-configuration.ts';

interface ConfigurationLimits {
  readonly schedule: Schedule;
  readonly maxDocumentBytes: number;
}

export function addConfiguration(
  app: FastifyInstance,
  sources: ConfigurationSources,
  { schedule, maxDocumentBytes }: ConfigurationLimits,
): void {
  const { store, check, fileDocument, catalogue, rollout, explain, certificateInForce } = sources;
  const access: ConfigurationAccess = {
    desk: createDesk({ store, check, fileDocument, schedule }),
    store,
    concealer: createConcealer(catalogue),
    rollout,
    explain,
    certificateInForce,
    maxDocumentBytes,
  };
  addSharedEntryListings(app, access);
  addSharedEntries(app, access);
  addWholeConfiguration(app, access);
  addConfigurationVersions(app, access);
  addExplanations(app, access);
}
