// A worker thread cannot start from TypeScript: register tsx here, then load the thread's real code.
import { tsImport } from 'tsx/esm/api'
await tsImport('./thread.ts', import.meta.url)
