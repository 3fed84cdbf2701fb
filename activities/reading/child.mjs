// A child process cannot start from TypeScript: register tsx here, then load the process's real code.
import { tsImport } from 'tsx/esm/api'
await tsImport('./child.ts', import.meta.url)
