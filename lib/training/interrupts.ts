/**
 * Ctrl-C and SIGTERM during a run. The first asks the run to end with a checkpoint; a second one ends the process at
 * once, the way the system would have: shells see 130 and 143.
 * @module
 */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

type Interrupt = (typeof SIGNALS)[number]

/** Exit status that shells expect of a program that a signal has ended. */
export const INTERRUPT_STATUS: Readonly<Record<Interrupt, number>> = { SIGINT: 130, SIGTERM: 143 }

/**
 * Runs `body` with a signal that aborts at the first interrupt.
 * @param onInterrupt called at once, to say that the run is ending and how to end it faster
 * @returns what `body` returned, and the interrupt that came, if any
 */
export async function withInterrupts<T>(
  body: (signal: AbortSignal) => Promise<T>,
  onInterrupt: (interrupt: Interrupt) => void,
): Promise<{ result: T; interrupt: Interrupt | undefined }> {
  const controller = new AbortController()
  let interrupt: Interrupt | undefined
  const handle = (received: Interrupt) => {
    if (interrupt !== undefined) {
      remove()
      process.kill(process.pid, received)
      return
    }
    interrupt = received
    onInterrupt(received)
    controller.abort(received)
  }
  const remove = () => SIGNALS.forEach((name) => process.removeListener(name, handle))
  SIGNALS.forEach((name) => process.on(name, handle))
  try {
    const result = await body(controller.signal)
    return { result, interrupt }
  } finally {
    remove()
  }
}
