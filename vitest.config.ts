import { defineConfig } from 'vitest/config'

const alone = 'test/**/*.alone.test.ts'

// Processes of their own: onnxruntime's native state and worker threads do not live side by side in threads of one.
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/servers/**', alone],
          isolate: false, // importing the same modules for every file takes longer than the tests
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        // Tests that put a double in the place of a module: it must not have been imported for another file.
        test: { name: 'unit-alone', include: [alone], testTimeout: 60_000 },
      },
      {
        extends: true,
        test: {
          name: 'servers',
          include: ['test/servers/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
