import type { KnipConfig } from 'knip';

const config: KnipConfig = {
  entry: [
    'src/main.ts',
    'src/app.ts',
    'src/gateway/config/load-worker.ts',
    'src/plugins/sdk/plugin.ts',
    'config/*.ts',
    'load-tests/**/*.ts',
    'test/**/*.ts',
  ],
  project: ['src/**/*.ts', 'test/**/*.ts', 'load-tests/**/*.ts', 'config/**/*.ts'],
  ignoreExportsUsedInFile: { interface: true, type: true },
};

export default config;
