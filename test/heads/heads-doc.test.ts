import { readFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { HEADS } from '../../lib/heads/index.js'
import { packageRoot } from '../../lib/setup/places.js'

const NOT_SHOWN = ['feat_dim', 'num_class']

t.test('the table of docs/heads.md has every head with its options, defaults and paper', async (t) => {
  const lines = readFileSync(path.join(packageRoot(), 'docs', 'heads.md'), 'utf8').split('\n')
  const rows = lines.flatMap((line) => {
    const [name, formula, options, paper] = line.split('|').slice(1, -1).map((cell) => cell.trim())
    return name?.startsWith('`') ? [{ name: name.replaceAll('`', ''), formula, options: Object.fromEntries([...options!.matchAll(/`(\w+)` ([\w.]+)/g)].map(([, key, value]) => [key, value])), paper }] : []
  })
  t.strictSame(rows.map(({ name }) => name), HEADS.map(({ name }) => name))
  for (const [i, { name, paper, schema }] of HEADS.entries()) {
    const defaults = Object.entries(schema.parse({ num_class: 5 })).filter(([key]) => !NOT_SHOWN.includes(key))
    t.strictSame(rows[i]!.options, Object.fromEntries(defaults.map(([key, value]) => [key, String(value)])), name)
    t.equal(rows[i]!.paper, paper ?? '', name)
    t.ok(rows[i]!.formula!.length > 5, name)
  }
})
