import { readFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'
import { parse } from 'yaml'

import { HEADS } from '../../lib/heads/index.js'
import { packageRoot } from '../../lib/setup/places.js'

t.test('head_conf.yaml shows every head with its defaults and fits any data set', async (t) => {
  const file = parse(readFileSync(path.join(packageRoot(), 'configs', 'head_conf.yaml'), 'utf8')) as Record<string, Record<string, unknown>>
  t.strictSame(Object.keys(file), HEADS.map((head) => head.name))
  for (const head of HEADS) {
    t.notOk('num_class' in file[head.name]!, head.name)
    t.strictSame(file[head.name], head.schema.parse({}), head.name)
  }
})

t.test('every head turns its options into numbers and words for the addon', async (t) => {
  for (const head of HEADS) {
    const pieces = head.create(head.schema.parse({ num_class: 10 }))
    t.equal(pieces.name, head.name)
    t.ok(Object.values(pieces.values).every(Number.isFinite))
  }
})
