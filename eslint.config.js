import tseslint from 'typescript-eslint'

// The walls of the house: nouns (folders under activities/) are libraries that know no Temporal, no clock and no
// ambient randomness; onnxruntime and AWS each have exactly one door.
const temporal = {
  group: ['@temporalio/*'],
  message: 'Nouns never import Temporal; verbs (files directly in activities/) do.',
}
const onnxruntime = {
  group: ['onnxruntime-node', 'onnxruntime-common'],
  message: 'Only activities/onnx/session.ts imports onnxruntime.',
}
const aws = { group: ['@aws-sdk/*', '@smithy/*'], message: 'Only activities/checkpoint/s3/ imports AWS.' }
const walls = (...patterns) => ({ '@typescript-eslint/no-restricted-imports': ['error', { patterns }] })

const clocks = [
  {
    object: 'Math',
    property: 'random',
    message: 'Randomness comes from activities/seed.ts, by coordinates.',
  },
  { object: 'Date', property: 'now', message: 'Clocks live in adapters.' },
  { object: 'performance', property: 'now', message: 'Clocks live in adapters.' },
]

export default tseslint.config(
  { ignores: ['node_modules/', '.placebo/', 'test/golden/', 'models/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-properties': ['error', clocks[0]],
      ...walls(onnxruntime, aws),
    },
  },
  {
    files: ['activities/*/**/*.ts', 'activities/seed.ts', 'activities/contracts.ts'],
    rules: { ...walls(temporal, onnxruntime, aws), 'no-restricted-properties': ['error', ...clocks] },
  },
  { files: ['activities/onnx/session.ts'], rules: walls(temporal, aws) },
  { files: ['activities/checkpoint/s3/*.ts'], rules: walls(temporal, onnxruntime) },
  {
    // Workflows see activities as types only: a value import would pull Node and the engine into the bundle.
    files: ['workflows/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['node:*'], message: 'The workflow sandbox has no Node.' },
            {
              // Five files of the contracts import nothing themselves.
              group: [
                '**/activities/*',
                '!**/activities/contracts',
                '**/activities/contracts/*',
                '!**/activities/contracts/correlation.ts',
                '!**/activities/contracts/faults.ts',
                '!**/activities/contracts/heartbeat.ts',
                '!**/activities/contracts/limits.ts',
                '!**/activities/contracts/nearest.ts',
                '!**/activities/contracts/shape.ts',
              ],
              allowTypeImports: true,
              message: 'Workflows import activities with `import type` only.',
            },
          ],
        },
      ],
    },
  },
)
