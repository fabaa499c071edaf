/** Ctrl-C once, the same Ctrl-C twice, and Ctrl-C again, on a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'

import t from 'tap'

import { ONE_PRESS_MS } from '../../lib/training/interrupts.js'

const SCRIPT = `
import { withInterrupts } from ${JSON.stringify(new URL('../../lib/training/interrupts.js', import.meta.url).href)}
const wait = Number(process.argv[1])
await withInterrupts(async (signal) => {
  console.log('begins')
  await new Promise((resolve) => { const alive = setInterval(() => {}, 1000); signal.onabort = () => setTimeout(() => { clearInterval(alive); resolve() }, wait) })
}, (name) => console.log(name))
console.log('saved')
`

/** Starts a body that takes so long to end after an interrupt. */
async function start(endsAfterMs: number) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, String(endsAfterMs)], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: undefined } })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const until = async (text: string) => {
    while (!said.includes(text)) await Promise.race([once(child.stdout, 'data'), closed])
  }
  await until('begins')
  return { child, closed, until, said: () => said }
}

t.test('a key press that arrives twice, from the terminal and from a parent that passes it on, is one', async (t) => {
  const { child, closed, until, said } = await start(200)
  child.kill('SIGINT')
  await until('SIGINT')
  child.kill('SIGINT')
  child.kill('SIGTERM')
  t.strictSame(await closed, [0, null])
  t.equal(said(), 'begins\nSIGINT\nsaved\n')
})

t.test('a second key press ends the process at once, as the system would', async (t) => {
  const { child, closed, until, said } = await start(60_000)
  child.kill('SIGINT')
  await until('SIGINT')
  await setTimeout(ONE_PRESS_MS + 100)
  child.kill('SIGINT')
  t.strictSame(await closed, [null, 'SIGINT'], 'which shells report as 130')
  t.equal(said(), 'begins\nSIGINT\n')
})
