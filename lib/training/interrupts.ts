/**
 * Ctrl-C and SIGTERM during a run. The first asks the run to end with a checkpoint; a second one ends the process at
 * once, the way the system would have: shells see 130 and 143.
 *
 * One key press may arrive twice: a terminal signals all processes of its foreground group, and npx, timeout and `facex
 * launch`, which are among them, pass the signal on. So what comes within a second of the first belongs to it.
 * @module
 */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Time in which signals are taken for one. */
export const ONE_PRESS_MS = 1000

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
  let firstAt = 0
  const handle = (received: Interrupt) => {
    if (interrupt !== undefined) {
      if (performance.now() - firstAt < ONE_PRESS_MS) return
      remove()
      process.kill(process.pid, received)
      return
    }
    interrupt = received
    firstAt = performance.now()
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
