import t from 'tap'

import { parseBinFile, readBinFile } from '../../lib/data/bin-file.js'
import { sharedPath } from '../shared.js'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
/** ([b"ab", b"cd"], [True]) by Python's pickle, protocol by protocol. */
const PROTOCOLS: Record<string, Buffer> = {
  'protocol 2, bytes through _codecs.encode': Buffer.concat([
    hex('80 02 5d 71 00 28'),
    Buffer.from('c_codecs\nencode\n'),
    hex('71 01 58 02 00 00 00 61 62 71 02 58 06 00 00 00'),
    Buffer.from('latin1'),
    hex('71 03 86 71 04 52 71 05 68 01 58 02 00 00 00 63 64 71 06 68 03 86 71 07 52 71 08 65 5d 71 09 88 61 86 71 0a 2e'),
  ]),
  'protocol 2 of Python 2': hex('80 02 5d 71 00 28 55 02 61 62 71 01 55 02 63 64 71 02 65 5d 71 03 88 61 86 71 04 2e'),
  'protocol 3': hex('80 03 5d 71 00 28 43 02 61 62 71 01 43 02 63 64 71 02 65 5d 71 03 88 61 86 71 04 2e'),
  'protocol 4': hex('80 04 95 17 00 00 00 00 00 00 00 5d 94 28 43 02 61 62 94 43 02 63 64 94 65 5d 94 88 61 86 94 2e'),
}

for (const [name, data] of Object.entries(PROTOCOLS)) {
  t.test(`a verification file in ${name} is read`, (t) => {
    const { images, same } = parseBinFile(data)
    t.same(images.map(String), ['ab', 'cd'])
    t.same(same, [true])
    t.end()
  })
}

t.test("insightface's sample, numpy arrays inside, is read", (t) => {
  const file = sharedPath('data', 'insightface', 'small_lfw.bin')
  if (file === undefined) return t.plan(0, 'the shared data is not on this machine')
  const { images, same } = readBinFile(file)
  t.equal(images.length, 20)
  t.same(same, Array(10).fill(true))
  t.ok(images.every((image) => image.readUInt16BE(0) === 0xffd8), 'JPEG files')
  t.end()
})

t.test('nothing is ever executed: any other name, call or opcode ends the reading', (t) => {
  const system = Buffer.from("cposix\nsystem\n(S'echo'\ntR.")
  t.throws(() => parseBinFile(system), { code: 'ERR_DATA', message: /posix\.system, which is not allowed/ })
  t.throws(() => parseBinFile(hex('80 04 8c 02 6f 73 8c 06 73 79 73 74 65 6d 93 2e')), { code: 'ERR_DATA', message: /os\.system, which is not allowed/ })
  t.throws(() => parseBinFile(hex('80 02 5d 69 2e')), { code: 'ERR_DATA', message: /operation 0x69/ })
  t.throws(() => parseBinFile(hex('80 02 4b 01 51 2e')), { code: 'ERR_DATA', message: /persistent id/ })
  t.throws(() => parseBinFile(Buffer.from('c_codecs\nencode\n)R.')), { code: 'ERR_DATA', message: /a call of _codecs\.encode/ })
  t.end()
})

t.test('damaged and strange files are errors with words', (t) => {
  const good = PROTOCOLS['protocol 3']!
  for (let length = 0; length < good.length; length++) t.throws(() => parseBinFile(good.subarray(0, length)), { code: 'ERR_DATA' })
  t.throws(() => parseBinFile(hex('80 02 4b 01 2e')), { code: 'ERR_DATA', message: /expected a pickled pair of lists/ })
  t.throws(() => parseBinFile(hex('80 02 5d 5d 88 61 86 2e')), { code: 'ERR_DATA', message: /two images for each pair, found 0 images and 1/ })
  t.throws(() => readBinFile('/nowhere.bin'), { code: 'ERR_DATA', message: /^\/nowhere.bin: / })
  t.end()
})

t.test('random mutations never do more than throw', (t) => {
  let state = 3
  const below = (n: number) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n
  const originals = Object.values(PROTOCOLS)
  for (let round = 0; round < 20_000; round++) {
    const data = Buffer.from(originals[round % originals.length]!)
    for (let change = below(4); change >= 0; change--) data[below(data.length)] = below(256)
    try {
      parseBinFile(data)
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_DATA') throw error
    }
  }
  t.pass()
  t.end()
})
