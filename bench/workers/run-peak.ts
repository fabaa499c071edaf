/**
 * Trains five steps of the run whose configuration is the first argument and prints the largest
 * resident size of this process in bytes: before the run, after its steps and at the end.
 * @module
 */
import { readFileSync } from 'node:fs'

import type { RunConfigInput } from '../../lib/config/run.js'
import { train } from '../../lib/index.js'
import { addon } from '../../lib/native.js'

const peak = () => process.resourceUsage().maxRSS * 1024

addon().info()
const before = peak()
let steps = before
const stop = new AbortController()
await train(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as RunConfigInput, {
  signal: stop.signal,
  listeners: [
    {
      onStep: ({ step }) => {
        if (step < 5) return
        steps = peak()
        stop.abort()
      },
    },
  ],
})
process.stdout.write(`${JSON.stringify({ before, steps, peak: peak() })}\n`)
