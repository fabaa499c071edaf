import t from 'tap'

import { FacexError, fromNative, nearest } from '../lib/errors.js'

t.equal(nearest('ArcFase', ['ArcFace', 'MagFace']), 'ArcFace', 'a typo finds the nearest name')

t.test("the addon's errors become FacexErrors, others stay what they are", async (t) => {
  const native = Object.assign(new Error('out of memory'), { code: 'ERR_OUT_OF_MEMORY' })
  const error = fromNative(native) as FacexError
  t.ok(error instanceof FacexError)
  t.match(error, { code: 'ERR_OUT_OF_MEMORY', message: 'out of memory', cause: native })
  t.equal(fromNative(error), error)
  const other = Object.assign(new Error('no such file'), { code: 'ENOENT' })
  t.equal(fromNative(other), other)
})
