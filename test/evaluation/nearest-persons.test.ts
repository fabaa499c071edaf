/** Persons by their best photo, worked out by hand. */
import t from 'tap'

import { nearestPersons } from '../../lib/evaluation/nearest-persons.js'

t.test('a person is as near as the best photo, and every person comes once', async (t) => {
  const data = Float32Array.of(1, 0, /* 0 */ 0, 1, /* 1 */ 3, 4, /* 0 */ 4, 3, /* 2 */ -1, 0)
  const matches = nearestPersons({ count: 5, dim: 2, data }, Int32Array.of(0, 1, 0, 2))
  t.same(matches.map(({ person, photo }) => [person, photo]), [[0, 2], [1, 1], [2, 3]])
  t.ok(Math.abs(matches[0]!.similarity - 0.8) < 1e-7)
  t.equal(matches[2]!.similarity, -1)
})
