/**
 * One set-up at a time: a lock file that names its holder. The addon's own file lock cannot be used, since there may
 * be no addon yet.
 * @module
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** Runs `work` while holding `file`; waits for another holder and takes over from one that is gone. */
export async function withLock<T>(file: string, onWait: (holder: string) => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(path.dirname(file), { recursive: true })
  const me = `${os.hostname()} ${process.pid}`
  for (let waiting = false; !tryLock(file, me); ) {
    const holder = holderOf(file)
    if (holder !== undefined && isGone(holder)) {
      rmSync(file, { force: true })
      continue
    }
    if (!waiting) onWait(holder ?? 'another process')
    waiting = true
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

function tryLock(file: string, me: string): boolean {
  try {
    writeFileSync(file, me, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function holderOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined // released between the attempt and now
  }
}

/** Only a process of this machine can be known to be gone. */
function isGone(holder: string): boolean {
  const [host, pid] = holder.split(' ')
  if (host !== os.hostname()) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
