/**
 * A bar for work of a known number of items, on a terminal; nothing anywhere else. Goes to stderr.
 * @module
 */
import cliProgress from 'cli-progress'

export interface CountBar {
  readonly update: (done: number, total: number) => void
  readonly stop: () => void
}

function countBar(doing: string): CountBar {
  const stream = process.stderr
  if (!stream.isTTY || process.env['TERM'] === 'dumb') return { update: () => undefined, stop: () => undefined }
  const bar = new cliProgress.SingleBar({ stream, format: `${doing} {bar} {value}/{total}  {eta_formatted} left`, barsize: 24, hideCursor: true, clearOnComplete: true }, cliProgress.Presets.shades_classic)
  return {
    update(done, total) {
      if (!bar.isActive) bar.start(total, 0)
      bar.update(done)
    },
    stop: () => bar.stop(),
  }
}

/** Work under a bar, which is gone when the work ends, well or not. */
export async function underBar<T>(doing: string, work: (update: CountBar['update']) => Promise<T>): Promise<T> {
  const bar = countBar(doing)
  try {
    return await work(bar.update)
  } finally {
    bar.stop()
  }
}
