/** Trains in a process of its own, to be killed: `node train-child.js CONFIG.json`. Prints the step now and then. */
import { readFileSync } from 'node:fs'

import type { RunConfigInput } from '../../lib/config/run.js'
import { train } from '../../lib/report/train.js'
import { INTERRUPT_STATUS, withInterrupts } from '../../lib/training/interrupts.js'

const config = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as RunConfigInput
const { result, interrupt } = await withInterrupts(
  (signal) => train(config, { resume: true, signal, onProgress: ({ step }) => process.stdout.write(`${step}\n`) }),
  (name) => process.stdout.write(`${name}\n`),
)
process.stdout.write(`${result.reason}\n`)
if (interrupt !== undefined) process.exitCode = INTERRUPT_STATUS[interrupt]
