/**
 * Messages and download progress of set-up, on stderr.
 * @module
 */
import type { SetupLog } from './sources.js'

/** A bar that redraws on a terminal; a line every tenth of the way elsewhere. */
export function stderrLog(): SetupLog {
  const terminal = process.stderr.isTTY === true
  let shown = -1
  return {
    line: (text) => process.stderr.write(`facex: ${text}\n`),
    progress(received, total) {
      const step = total === undefined ? Math.floor(received / 50e6) : Math.floor((received / total) * (terminal ? 100 : 10))
      if (step === shown) return
      shown = step
      const text = total === undefined ? megabytes(received) : `${megabytes(received)} of ${megabytes(total)}`
      process.stderr.write(terminal ? `\rfacex: ${text}${received === total ? '\n' : ''}` : `facex: ${text}\n`)
    },
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}
