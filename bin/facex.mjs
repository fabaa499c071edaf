#!/usr/bin/env node
// The command line, kept out of dist/ so that npm can link it before anything is built.
import { existsSync } from 'node:fs'

const cli = new URL('../dist/lib/cli.js', import.meta.url)
if (!existsSync(cli)) {
  console.error('facex is not built yet: run `npm ci` (or `npm run build`) in the folder of facex.')
  process.exit(1)
}
// `facex ... | head` closes the pipe early: that is no failure.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})
const { main } = await import(cli.href)
process.exitCode = await main(process.argv.slice(2))
