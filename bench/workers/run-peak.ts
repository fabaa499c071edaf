/**
 * Trains five steps of the run whose configuration is the first argument and prints the largest resident size that this
 * process had, in bytes.
 * @module
 */
import { readFileSync } from 'node:fs'

import type { RunConfigInput } from '../../lib/config/run.js'
import { train } from '../../lib/index.js'

const stop = new AbortController()
await train(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as RunConfigInput, {
  signal: stop.signal,
  listeners: [{ onStep: ({ step }) => (step < 5 ? undefined : stop.abort()) }],
})
process.stdout.write(`${JSON.stringify({ peak: process.resourceUsage().maxRSS * 1024 })}\n`)
