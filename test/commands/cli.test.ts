import t from 'tap'

import { facex } from '../facex.js'

t.test('--help lists the commands on stdout', async (t) => {
  const { status, stdout, stderr } = facex(['--help'])
  t.equal(status, 0)
  t.match(stdout, /doctor +print what facex runs on/)
  t.equal(stderr, '')
})

t.test('no command at all is a usage error that shows the help', async (t) => {
  const { status, stdout, stderr } = facex([])
  t.equal(status, 2)
  t.equal(stdout, '')
  t.match(stderr, /Usage: facex COMMAND/)
})

t.test('an unknown command suggests the nearest one', async (t) => {
  const { status, stderr } = facex(['docter'])
  t.equal(status, 2)
  t.match(stderr, /unknown command "docter", did you mean "doctor"\?/)
  t.notMatch(stderr, /at .*\.js/, 'without a stack')
})

t.test('a command explains itself, wherever --help stands', async (t) => {
  for (const argv of [['doctor', '--help'], ['help', 'doctor'], ['doctor', '--json', '-h']]) {
    const { status, stdout } = facex(argv)
    t.equal(status, 0)
    t.match(stdout, /^Usage: facex doctor/)
  }
})

t.test('--version prints the version of package.json', async (t) => {
  t.match(facex(['--version']).stdout, /^\d+\.\d+\.\d+\n$/)
})
