import type { KnipConfig } from 'knip';

const config: KnipConfig = {
  entry: [
    'src/app.ts',
    'src/app/worker-process.ts',
    'src/client/client.ts',
    'src/demo/mesh/demo.ts',
    'src/fastify/fastify.ts',
    'src/gateway/config/load-thread.ts',
    'src/gateway/config/yaml-worker.ts',
    'src/plugins/sdk/plugin.ts',
    'config/*.ts',
    'load-tests/**/*.ts',
    'test/**/*.ts',
  ],
  project: ['src/**/*.ts', 'test/**/*.ts', 'load-tests/**/*.ts', 'config/**/*.ts'],
  // Installed by the system, or its test is skipped.
  ignoreBinaries: ['h2load', 'haproxy'],
  // Has a command and nothing to import: `test/packaging` runs it on the packed package.
  ignoreDependencies: ['@arethetypeswrong/cli'],
  ignoreExportsUsedInFile: { interface: true, type: true },
};

export default config;
