import t from 'tap'

import { facex } from '../facex.js'

t.test('--json describes Node, addon, libtorch, images, build tools and every place searched', async (t) => {
  const { status, stdout, stderr } = facex(['doctor', '--json'])
  t.equal(stderr, '')
  const report = JSON.parse(stdout)
  t.equal(report.node.version, process.version)
  t.ok(report.addon.attempts.length > 0)
  t.type(report.libtorch.search, Array)
  t.equal(report.build.length, 4)
  if (status !== 0) return
  t.match(report.addon.info, { version: /^\d+\.\d+\.\d+$/, libtorch: /^2\.\d+\.\d+/, cuda: { built: Boolean, available: Boolean }, images: { libjpeg: /^libjpeg/, libpng: /^libpng/ } })
  t.match(report.libtorch.loaded, /torch_cpu/, 'the library in use is the one that the system loaded')
})

t.test('without an addon it says what was tried and fails', async (t) => {
  const { status, stdout } = facex(['doctor'], { env: { FACEX_ADDON: '/nowhere/facex.node' } })
  t.equal(status, 1)
  t.match(stdout, /addon +\/nowhere\/facex\.node: there is no such file/)
})

t.test('a wrong LIBTORCH is named with its fault', async (t) => {
  const folder = t.testdir({ empty: {} })
  const { stdout } = facex(['doctor'], { env: { LIBTORCH: folder } })
  t.match(stdout, new RegExp(`search: LIBTORCH +${folder}: lib/.*torch_cpu.* is missing`))
})
