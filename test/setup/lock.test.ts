import { existsSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

import t from 'tap'

import { withLock } from '../../lib/setup/lock.js'

t.test('only one holder at a time, and the others are told whom they wait for', async (t) => {
  const file = path.join(t.testdir(), 'lock')
  const events: string[] = []
  const first = withLock(file, () => {}, async () => {
    events.push('first in')
    await new Promise((resolve) => setTimeout(resolve, 200))
    events.push('first out')
  })
  const second = withLock(file, (holder) => t.match(holder, String(process.pid)), async () => void events.push('second in'))
  await Promise.all([first, second])
  t.same(events, ['first in', 'first out', 'second in'])
  t.notOk(existsSync(file))
})

t.test('a lock of a process that is gone is taken over', async (t) => {
  const file = path.join(t.testdir(), 'lock')
  writeFileSync(file, `${os.hostname()} 999999999`)
  t.equal(await withLock(file, () => t.fail('did not need to wait'), async () => 'done'), 'done')
})

t.test('a failure releases the lock', async (t) => {
  const file = path.join(t.testdir(), 'lock')
  await t.rejects(withLock(file, () => {}, async () => Promise.reject(new Error('no'))), /no/)
  t.notOk(existsSync(file))
})
