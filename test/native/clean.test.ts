import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import t from 'tap'

import { openDataset } from '../../lib/data/dataset.js'
import { cleanDataset } from '../../lib/data/tools/clean.js'
import { alikeGroups, differingBits } from '../../lib/data/tools/duplicates.js'
import { sourceAt } from '../../lib/data/tools/source-at.js'
import { drawIdentity } from '../../lib/data/synthetic/identity.js'
import { renderFace } from '../../lib/data/synthetic/render.js'
import { drawScene } from '../../lib/data/synthetic/scene.js'
import { facexHere } from '../facex.js'

/** a: two photographs and a copy of the first; b: one of its own, one of c's; c: that one and two copies; d: no image. */
async function folders(root: string): Promise<void> {
  const files: Record<string, Buffer> = {}
  const shot = async (person: number) => sharp(await renderFace(drawIdentity(1, person), drawScene(1, person, 0))).png().toBuffer()
  files['a/0.png'] = await shot(0)
  files['a/1.png'] = await shot(5)
  files['a/copy.jpg'] = await sharp(files['a/0.png']).resize(90, 90).modulate({ brightness: 1.05 }).jpeg({ quality: 60 }).toBuffer()
  files['b/0.png'] = await shot(9)
  files['b/wrong.png'] = await shot(13)
  files['c/0.png'] = await shot(13)
  files['c/1.jpg'] = await sharp(files['c/0.png']).jpeg().toBuffer()
  files['d/0.jpg'] = Buffer.from('text')
  files['e/0.png'] = await shot(17)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.join(root, path.dirname(name)), { recursive: true })
    writeFileSync(path.join(root, name), content)
  }
}

t.test('copies, pictures under two identities and unreadable files leave the list', async (t) => {
  const root = t.testdir()
  await folders(root)
  const { removed, list, kept } = await cleanDataset(await openDataset([sourceAt(root)]), { threads: 2, distance: 16 })
  t.same(removed.map(({ name, kind }) => [name, kind]), [
    ['a/copy.jpg', 'duplicate'],
    ['b/wrong.png', 'two identities'],
    ['c/1.jpg', 'duplicate'],
    ['d/0.jpg', 'unreadable'],
  ])
  t.match(removed[0]!.reason, /^like a\/0.png \(\d+ of 256 bits differ\)/)
  t.equal(kept, 5)
  t.equal(list, 'a/0.png 0\na/1.png 0\nb/0.png 1\nc/0.png 2\ne/0.png 3\n', 'labels without a gap')
})

t.test('hashes within the distance are found wherever their bits differ', async (t) => {
  const words = new Uint32Array(8 * 40).map(() => 0)
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + 1, 0x9e3779b9) ^ (Math.imul(i + 7, 0x85ebca6b) >>> 3)
  // Picture 30 is picture 3 with 16 bits changed, one in each part.
  for (let word = 0; word < 8; word++) words[8 * 30 + word] = words[8 * 3 + word]! ^ 0x00010001
  t.equal(differingBits(words, 3, 30), 16)
  t.same(alikeGroups(words, 16), [[3, 30]])
  t.same(alikeGroups(words, 15), [])
  t.same(alikeGroups(words, 16, new Set([30])), [])
})

t.test('facex dataset clean deletes nothing unless asked to', async (t) => {
  const root = t.testdir({ faces: {} })
  await folders(path.join(root, 'faces'))
  const clean = (...more: string[]) => facexHere(['dataset', 'clean', 'faces', '--out', 'clean.txt', ...more], { cwd: root })
  const looked = await clean()
  t.equal(looked.status, 0, looked.stderr)
  t.match(looked.stdout, /clean.txt: 5 of 9 images\nclean.txt.removed.tsv: 1 unreadable, 2 duplicates, 1 under two identities; the files are still there/)
  t.ok(existsSync(path.join(root, 'faces', 'a', 'copy.jpg')))
  t.match(readFileSync(path.join(root, 'clean.txt.removed.tsv'), 'utf8'), /^a\/copy.jpg\tduplicate\tlike a\/0.png/)
  await clean('--delete')
  t.notOk(existsSync(path.join(root, 'faces', 'a', 'copy.jpg')))
  t.ok(existsSync(path.join(root, 'faces', 'a', '0.png')))
})
