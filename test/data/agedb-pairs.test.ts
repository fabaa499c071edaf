/** AgeDB's MATLAB file, against files written by SciPy (fixtures/make_agedb.py). */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { openAgeDbPairs } from '../../lib/data/agedb-pairs.js'
import { readMatVariable } from '../../lib/data/mat-file.js'
import { packageRoot } from '../../lib/setup/places.js'

const fixture = (name: string) => path.join(packageRoot(), 'test', 'data', 'fixtures', name)

for (const name of ['agedb.mat', 'agedb-compressed.mat']) {
  t.test(`${name} gives folds of pairs with the labels 1 and -1`, async (t) => {
    const list = openAgeDbPairs(fixture(name))
    t.same(list.paths, ['0_Ann_20_f.jpg', '0_Ann_50_f.jpg', '0_Bob_50_m.jpg', '1_Ann_20_f.jpg', '1_Ann_50_f.jpg', '1_Bob_50_m.jpg'])
    t.same([...list.first], [0, 0, 1, 3, 3, 4])
    t.same([...list.second], [1, 2, 0, 4, 5, 3])
    t.same([...list.genuine], [1, 0, 1, 1, 0, 1])
    t.equal(list.folds, 2)
  })
}

t.test('numbers keep MATLAB order, columns first', async (t) => {
  t.same(readMatVariable(readFileSync(fixture('agedb.mat')), 'other'), { kind: 'numbers', dims: [2, 2], items: [1, 0, 0, 1] })
})

t.test('what is wrong is said with the place in the file', async (t) => {
  t.throws(() => openAgeDbPairs(fixture('agedb-wrong.mat')), { code: 'ERR_DATA', message: /agedb-wrong.mat: splits\{1\}: pair 2: expected the label 1 or -1, found 7/ })
  t.throws(() => openAgeDbPairs(fixture('agedb-complex.mat')), { code: 'ERR_DATA', message: /real numbers, cells and structures only/ })
  const lengthOfNames = Buffer.from('0500040007000000', 'hex')
  const fraction = readFileSync(fixture('agedb.mat'))
  fraction[fraction.indexOf(lengthOfNames)] = 7 // the four bytes as a float: 1e-44
  t.throws(() => readMatVariable(fraction, 'splits'), { code: 'ERR_DATA', message: /names of fields of 9\.\d+e-45 letters/ })
  t.throws(() => readMatVariable(readFileSync(fixture('agedb.mat')), 'split'), { code: 'ERR_DATA', message: 'expected the variable "split", found other, splits' })
  const folder = t.testdir({ hdf5: Buffer.concat([Buffer.from('MATLAB 7.3 MAT-file'.padEnd(128)), Buffer.alloc(512)]), text: 'a.jpg b.jpg 1\n' })
  t.throws(() => openAgeDbPairs(path.join(folder, 'hdf5')), { code: 'ERR_DATA', message: /version 7.3 .HDF5.: save it with -v7/ })
  t.throws(() => openAgeDbPairs(path.join(folder, 'text')), { code: 'ERR_DATA', message: /text: expected a little-endian MAT-file/ })
})

t.test('a file cut off anywhere is an error and never another list', async (t) => {
  for (const name of ['agedb.mat', 'agedb-compressed.mat']) {
    const whole = readFileSync(fixture(name))
    const part = path.join(t.testdir(), 'part.mat')
    for (let length = 0; length < whole.length - 8; length += 97) {
      writeFileSync(part, whole.subarray(0, length))
      t.throws(() => openAgeDbPairs(part), { code: 'ERR_DATA' }, `${name}: ${length} bytes`)
    }
  }
})
