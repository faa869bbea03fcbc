/** Preloaded into every process of a node: none of its workers lives. */
if (process.argv[1]?.includes('worker-process') === true) process.exit(7);
