// Compiles TypeScript to dist/, then removes outputs whose source is gone so that no deleted test keeps running.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

/** Runs the TypeScript compiler; its messages go to stderr. Returns whether it succeeded. */
export function compile() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, '-p', root], { stdio: ['ignore', 2, 2] })
  removeStale()
  return status === 0
}

function removeStale() {
  for (const room of ['lib', 'test', 'bench']) {
    const folder = path.join(root, 'dist', room)
    if (!existsSync(folder)) continue
    for (const name of readdirSync(folder, { recursive: true })) {
      const source = path.join(root, room, name.replace(/(\.d\.ts|\.js(\.map)?)$/, '.ts'))
      if (/\.(js|map|ts)$/.test(name) && !existsSync(source)) rmSync(path.join(folder, name))
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = compile() ? 0 : 1
