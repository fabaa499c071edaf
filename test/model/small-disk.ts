/**
 * A disk that is soon full.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** Calls `body` with the folder of a file system of six mebibytes; returns why that is not possible here. */
export async function withSmallDisk(body: (folder: string) => Promise<void>): Promise<string | undefined> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'facex-small-disk-'))
  try {
    const { status, error, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder], { encoding: 'utf8' })
    if (status !== 0) return `no small file system can be mounted: ${error?.message ?? stderr.trim()}`
    try {
      await body(folder)
    } finally {
      spawnSync('umount', [folder])
    }
    return undefined
  } finally {
    rmSync(folder, { recursive: true })
  }
}
