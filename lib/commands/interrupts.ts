/**
 * Ctrl-C and SIGTERM in commands that work through many images: they end between two of them, and leave nothing half
 * written. Commands that write nothing before their end need none of this: the system ends them.
 * @module
 */
import { FacexError, fromNative } from '../errors.js'
import { INTERRUPT_STATUS, withInterrupts } from '../training/interrupts.js'

/**
 * Runs the body of a command with a signal.
 * @returns what the body returned; 130 or 143 where an interrupt ended it with ERR_ABORTED
 */
export async function interruptible(body: (signal: AbortSignal) => Promise<number>): Promise<number> {
  let status: number | undefined
  try {
    const { result } = await withInterrupts(body, (interrupt) => {
      status = INTERRUPT_STATUS[interrupt]
      process.stderr.write('\nending; press Ctrl-C again to stop at once\n')
    })
    return result
  } catch (thrown) {
    const error = fromNative(thrown)
    if (status === undefined || !(error instanceof FacexError && error.code === 'ERR_ABORTED')) throw error
    process.stderr.write(`facex: ${error.message}\n`)
    return status
  }
}
